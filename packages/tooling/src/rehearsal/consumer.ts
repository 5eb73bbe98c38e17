import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tarballChecks } from '../tarball-checks.js';
import { type Manifest, ROOT } from '../workspace.js';
import { environmentOf, type Run } from './checkout.js';
import { readmeExamples } from './readme-examples.js';
import { type Chain, StepError } from './report.js';

/** What to install, and where. */
export interface ConsumerOptions {
  readonly manifest: Manifest;
  /** A folder that does not exist yet. */
  readonly directory: string;
  /** The registry that has the package. */
  readonly registryUrl: string;
  /** npm's cache during the rehearsal. */
  readonly cache: string;
  readonly run: Run;
}

/** Installs a package alone into an empty project and uses it there as its README says. */
export async function tryPackage(chain: Chain, options: ConsumerOptions): Promise<void> {
  await chain.step('installs alone', () => createProject(options));
  await chain.check('is packed without what it must not have', async () => checkPacked(installedIn(options)));
  await chain.check('passes publint and attw', () => checkTarball(options));
  if (chain.isBroken) return;
  await tryReadme(chain, options);
  await chain.check('every entry loads by import and require', () => loadEntries(options));
}

function installedIn({ directory, manifest }: ConsumerOptions): string {
  return join(directory, 'node_modules', manifest.name);
}

async function tryReadme(chain: Chain, options: ConsumerOptions): Promise<void> {
  const { directory } = options;
  const readme = readFileSync(join(installedIn(options), 'README.md'), 'utf8');
  const examples = readmeExamples(readme);
  const names = examples.map(({ runs }) => (runs ? 'readme-example' : 'readme-no-run'));
  examples.forEach(({ code }, index) => {
    writeFileSync(join(directory, `${names[index]}.mts`), code);
  });
  await chain.check('README example type-checks', async () => {
    if (examples.length === 0) throw new StepError('The README has no ts example');
    await typeCheck(options, names);
  });
  if (!names.includes('readme-example')) return chain.skip('README example runs', 'there is none that is to be run');
  linkPrograms(directory, readme);
  await chain.check('README example runs', async () => void (await runNode(options, 'readme-example.mjs')));
}

async function loadEntries(options: ConsumerOptions): Promise<string | undefined> {
  await installOptionalPeers(options);
  writeFileSync(join(options.directory, 'entries.mts'), entriesModule(options.manifest));
  await typeCheck(options, ['entries']);
  const output = await runNode(options, 'entries.mjs');
  const refused = [...output.matchAll(/^NOT-BY-REQUIRE (.*)$/gm)].map(([, specifier]) => specifier);
  return refused.length === 0 ? undefined : `${refused.join(', ')} by import only, for it awaits when it loads`;
}

function runNode({ directory, run }: ConsumerOptions, file: string): Promise<string> {
  return run(process.execPath, [file], { directory, env: environmentOf(directory), timeoutMs: 60_000 });
}

async function createProject({ manifest, directory, registryUrl, cache, run }: ConsumerOptions): Promise<void> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', private: true }));
  const scope = manifest.name.slice(0, manifest.name.indexOf('/'));
  // Everything else comes from the registry that npm is configured for, with its proxies and certificates.
  writeFileSync(join(directory, '.npmrc'), `${scope}:registry=${registryUrl}\n`);
  await install(['--save', `${manifest.name}@${manifest.version}`], { directory, cache, run });
}

async function installOptionalPeers({ manifest, ...options }: ConsumerOptions): Promise<void> {
  const meta = manifest.peerDependenciesMeta ?? {};
  const peers = Object.entries(manifest.peerDependencies ?? {}).filter(([name]) => meta[name]?.optional === true);
  const wanted = peers.map(([name, range]) => `${name}@${range}`);
  if (wanted.length > 0) await install(['--save', ...wanted], options);
}

async function install(
  args: readonly string[],
  { directory, cache, run }: Pick<ConsumerOptions, 'directory' | 'cache' | 'run'>,
): Promise<void> {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--cache', cache];
  await run('npm', ['install', ...flags, ...args], { directory, env: environmentOf(directory) });
}

function checkPacked(installed: string): void {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.slice(installed.length).includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name));
  const problems = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const found = file.endsWith('package.json') ? ['@millrace/source', 'workspace:'] : ['@millrace/source'];
    return found
      .filter((part) => text.includes(part))
      .map((part) => `${file.slice(installed.length + 1)} has "${part}"`);
  });
  const missing = ['README.md', 'LICENSE', 'CHANGELOG.md'].filter((name) => !existsSync(join(installed, name)));
  problems.push(...missing.map((name) => `${name} is missing`));
  if (problems.length > 0) throw new StepError(problems.join('\n'));
}

/** Checks what the registry has, not what is in the workspace. */
async function checkTarball({ manifest, directory, cache, run }: ConsumerOptions): Promise<void> {
  const args = ['pack', '--cache', cache, `${manifest.name}@${manifest.version}`];
  await run('npm', args, { directory, env: environmentOf(directory) });
  const file = readdirSync(directory).find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new StepError('npm pack wrote no file');
  const env = environmentOf(join(ROOT, 'packages/tooling'));
  for (const [program, checks] of tarballChecks(join(directory, file))) await run(program, checks, { directory, env });
}

/** Checks modules of the project with the workspace's TypeScript and Node types, and emits them as `.mjs`. */
async function typeCheck({ directory, run }: ConsumerOptions, names: readonly string[]): Promise<void> {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    typeRoots: [join(ROOT, 'node_modules/@types')],
    types: ['node'],
  };
  const files = names.map((name) => `${name}.mts`);
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await run(join(ROOT, 'node_modules/.bin/tsc'), ['--project', '.', '--pretty', 'false'], { directory });
}

/** Links the programs from npm that a README says may be added, such as a database, instead of loading them again. */
function linkPrograms(directory: string, readme: string): void {
  const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  for (const name of Object.keys(root.optionalDependencies ?? {})) {
    const link = join(directory, 'node_modules', name);
    const target = join(ROOT, 'node_modules', name);
    if (!readme.includes(name.slice(0, name.indexOf('/'))) || !existsSync(target) || existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link, 'junction');
  }
}

const CHECK_ENTRY = `const require = createRequire(import.meta.url);
const namesOf = (entry: object) => Object.keys(entry).filter((name) => name !== '__esModule').sort().join();
const check = (specifier: string, entry: object) => {
  try {
    const names = namesOf(require(specifier));
    if (names !== namesOf(entry)) throw new Error('import and require() of ' + specifier + ' differ: ' + names);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    console.log('NOT-BY-REQUIRE', specifier);
  }
};`;

/** A module that loads every entry by `import` and `require()`, and prints those that await something at their top. */
function entriesModule({ name, exports = {} }: Manifest): string {
  const specifiers = Object.keys(exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => `${name}${subpath.slice(1)}`);
  return [
    "import { createRequire } from 'node:module';",
    ...specifiers.map((specifier, index) => `import * as entry${index} from '${specifier}';`),
    CHECK_ENTRY,
    ...specifiers.map((specifier, index) => `check('${specifier}', entry${index});`),
  ].join('\n');
}
