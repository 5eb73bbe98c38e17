import { cpSync, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../workspace.js';
import { type ExecuteOptions, execute } from './execute.js';
import { StepError } from './report.js';

/** Runs a program and returns what it printed; throws that if it fails. */
export type Run = (
  program: string,
  args: readonly string[],
  options: Omit<ExecuteOptions, 'signal'>,
) => Promise<string>;

/** Makes the {@link Run} that ends with `signal`. */
export function runnerOf(signal: AbortSignal): Run {
  return async (program, args, options) => {
    const { ok, output } = await execute(program, args, { ...options, signal });
    if (!ok) throw new StepError(`${program} ${args.join(' ')}\n${output}`);
    return output;
  };
}

/** Copies the checkout with its history, with what is not committed yet, without what git ignores. */
export async function copyCheckout(target: string, run: Run): Promise<void> {
  await run('git', ['clone', '--quiet', '--no-checkout', ROOT, target], { directory: ROOT });
  const git = (...args: string[]): Promise<string> => run('git', args, { directory: target });
  await git('reset', '--quiet');
  // Changesets makes a tag for each package; signing it or asking who makes it is no part of a rehearsal.
  for (const [key, value] of Object.entries({
    'user.name': 'rehearsal',
    'user.email': 'rehearsal@localhost',
    'tag.gpgSign': 'false',
    'tag.forceSignAnnotated': 'false',
  })) {
    await git('config', key, value);
  }
  const list = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { directory: ROOT });
  for (const file of new Set(list.split('\0'))) {
    if (file !== '' && existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(target, file));
  }
}

/** The environment of a program of the copy: its own tools first, nothing of the package manager that runs this. */
export function environmentOf(directory: string, extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  // NODE_PATH would let an "empty" project find the packages of the workspace.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_(?:package|lifecycle)_|NODE_PATH$|INIT_CWD$|FORCE_COLOR$)/.test(name),
  );
  const path = [join(directory, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path, NO_COLOR: '1', TURBO_TELEMETRY_DISABLED: '1', ...extra };
}
