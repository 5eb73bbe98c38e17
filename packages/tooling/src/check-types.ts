import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { command, runChecks } from './command.js';
import { writeDocExamples } from './doc-examples.js';
import { ROOT, workspaces } from './workspace.js';

// Type-checks every package and app, what must do without Node's types, and the documentation examples.

writeDocExamples();

const configs = [
  'tsconfig.json',
  'tsconfig.docs.json',
  ...workspaces().flatMap(({ path }) => [`${path}/tsconfig.json`, `${path}/tsconfig.neutral.json`]),
].filter((config) => existsSync(join(ROOT, config)));

await runChecks(
  configs.map((config) => ({
    name: `types ${config}`,
    run: async () => {
      const { ok, output } = await command('tsc', ['--project', config, '--pretty', 'false']);
      return ok ? undefined : output;
    },
  })),
);
