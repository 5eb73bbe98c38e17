import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the tests, and the examples that run as tests, a folder for temporary files of their own; removes it behind them. */
export function setup(): () => void {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-tests-'));
  // As the system's: PostgreSQL runs as another account where these run as root.
  chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
