import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './command.js';
import { ROOT, workspaces } from './workspace.js';

// Compares what each published package weighs, bundled and compressed, with the limits in its .size-limit.json.

interface SizeLimit {
  readonly name: string;
  readonly path: string;
  readonly limit: string;
  /** What of it is bundled. Default: all. */
  readonly import?: string;
  readonly gzip?: boolean;
}

const limits = workspaces()
  .filter(({ isPublished }) => isPublished)
  .flatMap(({ directory, path }) => {
    const file = join(directory, '.size-limit.json');
    if (!existsSync(file)) throw new Error(`Cannot check sizes: ${path} has no .size-limit.json (it must have one)`);
    const entries = JSON.parse(readFileSync(file, 'utf8')) as SizeLimit[];
    return entries.map((entry) => ({ ...entry, path: join(directory, entry.path) }));
  });

const temporary = mkdtempSync(join(tmpdir(), 'millrace-sizes-'));
try {
  const config = join(temporary, 'limits.json');
  writeFileSync(config, JSON.stringify(limits));
  const { ok, output } = await command('size-limit', ['--config', config], join(ROOT, 'packages/tooling'));
  console.log(output.trim());
  if (!ok) process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
