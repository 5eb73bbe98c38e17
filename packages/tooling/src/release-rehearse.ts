import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyCheckout, environmentOf, type Run, runnerOf } from './rehearsal/checkout.js';
import { tryPackage } from './rehearsal/consumer.js';
import { type Registry, startRegistry, writeRegistryProject } from './rehearsal/registry.js';
import { type Chain, createReport, type Report, StepError } from './rehearsal/report.js';
import { ROOT, type Workspace, workspaces } from './workspace.js';

// Releases a copy of the checkout to a registry on 127.0.0.1, then installs and uses every package as a user would.

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(name));

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-rehearsal-'));
const copy = join(folder, 'checkout');
const registryProject = join(folder, 'registry');
const cache = join(folder, 'npm-cache');
const report = createReport(stop.signal);
const run = runnerOf(stop.signal);
try {
  await rehearse(report, run);
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.log(`Stopped by ${stop.signal.reason}`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  console.log(report.closingLine());
  if (report.failed > 0) process.exitCode = 1;
  if (stop.signal.aborted) process.exitCode = 128 + constants.signals[stop.signal.reason as NodeJS.Signals];
}

async function rehearse(report: Report, run: Run): Promise<void> {
  const release = report.chain('release');
  await release.step('copies the checkout', () => copyCheckout(copy, run));
  await release.step('installs', () => installCopy(run));
  await release.step('versions', async () => void (await inCopy(run, 'changeset', 'version')));
  const released = publishedOf(release.isBroken ? ROOT : copy);
  await release.step('builds', async () => void (await inCopy(run, 'turbo', 'run', 'build', '--filter=./packages/*')));
  let registry: Registry | undefined;
  try {
    await release.step('starts a registry', async () => {
      registry = await startRegistry(registryProject);
    });
    await publishTwice(release, registry, released, run);
    for (const { manifest } of released) {
      const directory = join(folder, 'projects', manifest.name);
      const chain = report.chain(manifest.name, release);
      await tryPackage(chain, { manifest, directory, registryUrl: registry?.url ?? '', cache, run });
    }
  } finally {
    await registry?.close();
  }
}

function publishedOf(root: string): Workspace[] {
  return workspaces(root).filter(({ isPublished }) => isPublished);
}

/** Installs what building and publishing need, with the files of the store that the checkout uses. */
async function installCopy(run: Run): Promise<void> {
  const store = (await run('pnpm', ['store', 'path', '--silent'], { directory: ROOT })).trim().split('\n').at(-1) ?? '';
  const flags = ['--prefer-offline', '--ignore-scripts', '--store-dir', store];
  const install = async (directory: string, ...args: string[]): Promise<void> =>
    void (await run('pnpm', ['install', ...flags, ...args], { directory, env: environmentOf(directory) }));
  await install(copy, '--frozen-lockfile', '--filter', '.', '--filter', './packages/*');
  writeRegistryProject(registryProject);
  await install(registryProject);
}

function inCopy(run: Run, program: string, ...args: string[]): Promise<string> {
  return run(program, args, { directory: copy, env: environmentOf(copy) });
}

/** Publishes, and again, to see that the registry has every package the first time and is left alone the second. */
async function publishTwice(
  release: Chain,
  registry: Registry | undefined,
  released: readonly Workspace[],
  run: Run,
): Promise<void> {
  const publish = async (): Promise<void> => {
    if (registry === undefined) throw new StepError('There is no registry');
    const env = environmentOf(copy, publishEnvironment(registry));
    await run('changeset', ['publish'], { directory: copy, env });
  };
  const documents = (): Promise<(string | undefined)[]> =>
    Promise.all(released.map(async ({ manifest }) => registry?.read(manifest.name)));
  let first: (string | undefined)[] = [];
  await release.step('publishes', async () => {
    await publish();
    first = await documents();
    const missing = released.filter(({ manifest }, index) => !first[index]?.includes(`"${manifest.version}"`));
    if (missing.length > 0) throw new StepError(`Not there: ${list(missing)}`);
    const unversioned = released.filter(({ manifest }) => manifest.version === '0.0.0');
    if (unversioned.length > 0) throw new StepError(`Without a changeset, so without a version: ${list(unversioned)}`);
    return list(released);
  });
  await release.step('publishes nothing the second time', async () => {
    await publish();
    const second = await documents();
    const changed = released.filter((_, index) => first[index] !== second[index]);
    if (changed.length > 0) throw new StepError(`Published again: ${list(changed)}`);
  });
}

function list(packages: readonly Workspace[]): string {
  return packages.map(({ manifest }) => `${manifest.name}@${manifest.version}`).join(', ');
}

/** Settings under which nothing can be published elsewhere: no other registry, and none of the user's credentials. */
function publishEnvironment({ url }: Registry): NodeJS.ProcessEnv {
  const settings = join(folder, 'publish.npmrc');
  const { host } = new URL(url);
  const scopes = [...new Set(publishedOf(copy).map(({ manifest }) => manifest.name.split('/')[0]))];
  const registries = scopes.map((scope) => `${scope}:registry=${url}`);
  writeFileSync(settings, [`registry=${url}`, ...registries, `//${host}/:_authToken=rehearsal`, ''].join('\n'));
  return {
    ...Object.fromEntries(scopes.map((scope) => [`npm_config_${scope}:registry`, url])),
    npm_config_registry: url,
    pnpm_config_registry: url,
    npm_config_userconfig: settings,
    npm_config_cache: cache,
    // Only a workflow can prove where a package is from.
    pnpm_config_provenance: 'false',
  };
}
