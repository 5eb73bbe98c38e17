import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How to start a Chromium. */
export interface ChromiumLaunch {
  /** Absent: playwright starts the browser that it has installed itself. */
  readonly executablePath?: string;
  readonly args: string[];
  readonly env?: Record<string, string>;
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Finds a Chromium: the environment variable `CHROMIUM_PATH` (`packaged` forces the third), one on the `PATH`, or the
 * one that comes as an npm package, unpacked into the temporary folder (about 200 MB, Linux on x64 only).
 */
export async function findChromium(environment: NodeJS.ProcessEnv = process.env): Promise<ChromiumLaunch> {
  const wanted = environment['CHROMIUM_PATH'];
  if (wanted !== 'packaged') {
    const executablePath = wanted || chromiumOnPath(environment['PATH'] ?? '');
    if (executablePath !== undefined) return { executablePath, args: ARGS };
    if (process.platform !== 'linux' || process.arch !== 'x64') return { args: ARGS };
  }
  return await unpackChromium();
}

function chromiumOnPath(path: string): string | undefined {
  return path
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((file) => existsSync(file));
}

async function unpackChromium(): Promise<ChromiumLaunch> {
  // The package unpacks the shared libraries it needs only where it believes to be on AWS Lambda, and puts their folder
  // into the environment of this process; both are undone, so that only the browser sees them.
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
    AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x',
  });
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    const executablePath = await chromium.executablePath();
    return { executablePath, args: ARGS, env: { ...definedOnly(process.env) } };
  } finally {
    for (const key of Object.keys(process.env)) if (!(key in before)) delete process.env[key];
    Object.assign(process.env, before);
  }
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
