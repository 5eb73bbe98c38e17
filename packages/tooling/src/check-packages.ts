import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, runChecks } from './command.js';
import { tarballChecks } from './tarball-checks.js';
import { type Workspace, workspaces } from './workspace.js';

// Packs every published package as it goes to the registry and checks the tarball.

async function checkTarball({ directory }: Workspace): Promise<string | undefined> {
  const temporary = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
  try {
    const packed = await command('pnpm', ['pack', '--pack-destination', temporary], directory);
    const file = readdirSync(temporary).find((name) => name.endsWith('.tgz'));
    if (!packed.ok || file === undefined) return packed.output;
    const tarball = join(temporary, file);
    const manifest = await command('tar', ['--extract', '--to-stdout', '--file', tarball, 'package/package.json']);
    if (!manifest.ok) return manifest.output;
    if (manifest.output.includes('@millrace/source')) {
      return 'The packed manifest has the condition @millrace/source: give publishConfig.exports without it';
    }
    for (const [program, args] of tarballChecks(tarball)) {
      const { ok, output } = await command(program, args);
      if (!ok) return output;
    }
    return undefined;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

await runChecks(
  workspaces()
    .filter(({ isPublished }) => isPublished)
    .map((workspace) => ({ name: `package ${workspace.manifest.name}`, run: () => checkTarball(workspace) })),
);
