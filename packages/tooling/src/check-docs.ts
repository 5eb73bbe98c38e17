import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { command } from './command.js';
import { deadLinksOf } from './dead-links.js';
import { optionTypesOf } from './option-docs.js';
import {
  type EntryFile,
  exportsOf,
  membersOf,
  problemsOf,
  type StageDoc,
  stageDocsOf,
  stagesPage,
} from './stage-docs.js';
import { ROOT, type Workspace, workspaces } from './workspace.js';

// Compares docs/stages.md with the documentation in the sources, and looks for links of Markdown pages that lead nowhere.
// With --update it writes docs/stages.md instead.

const PAGE = 'docs/stages.md';
const update = process.argv.includes('--update');

/** The files in which the public functions of a package are, for each of its entries. */
function filesOf({ manifest, path }: Workspace): EntryFile[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const index = typeof target === 'object' && target !== null ? Object.values(target)[0] : undefined;
    if (typeof index !== 'string' || !index.endsWith('.ts')) return [];
    const entry = posix.join(manifest.name, subpath);
    const folder = posix.join(path, posix.dirname(index));
    return [...exportsOf(read(posix.join(path, index)))].flatMap(([file, names]) => {
      const place = posix.join(folder, file);
      return [fileOf(place, entry, names), ...objectsOf(place, entry, [...names.values()])];
    });
  });
}

/** The files of the functions that exported objects consist of. */
function objectsOf(file: string, entry: string, names: readonly string[]): EntryFile[] {
  const text = read(file);
  return names.flatMap((name) =>
    membersOf(file, text, name).map(([path, symbol]) => fileOf(path, entry, new Map([[symbol, `${name}.${symbol}`]]))),
  );
}

function fileOf(path: string, entry: string, names: ReadonlyMap<string, string>): EntryFile {
  return { path, text: read(path), entry, names };
}

/** The files of the checkout of which the path is so. */
async function tracked(pattern: string): Promise<string[]> {
  const { ok, output } = await command('git', ['ls-files', '--cached', '--others', '--exclude-standard', pattern]);
  if (!ok) throw new Error(`Cannot list the files of the checkout: git says ${output}`);
  return output.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const verbs = workspaces().find(({ path }) => path === 'packages/core') as Workspace;
const docs: StageDoc[] = [
  // What the testkit has is for tests.
  ...workspaces()
    .filter(({ isPublished, path }) => isPublished && path !== 'packages/testkit')
    .flatMap(filesOf),
  fileOf(`${verbs.path}/src/terminals.ts`, verbs.manifest.name, new Map()),
].flatMap(stageDocsOf);

/** The types of options of all packages, by name. */
const optionTypes = new Map(
  (await tracked('packages/*/src/*.ts'))
    .filter((path) => !path.includes('.test'))
    .flatMap((path) => [...optionTypesOf(read(path))]),
);

const problems = problemsOf(docs);
for (const problem of problems) console.log(`FAIL  ${problem}`);
const page = stagesPage(docs, optionTypes);
const isStale = !existsSync(join(ROOT, PAGE)) || read(PAGE) !== page;
if (update) writeFileSync(join(ROOT, PAGE), page);
else if (isStale) console.log(`FAIL  ${PAGE} is not what the sources say: run \`pnpm docs:update\``);
if (problems.length > 0 || (isStale && !update)) process.exitCode = 1;
else console.log(`ok    docs ${PAGE}`);

const pages = await tracked('*.md');
const dead = deadLinksOf(pages, { has: (path) => existsSync(join(ROOT, path)), read });
for (const link of dead) console.log(`FAIL  ${link}`);
if (dead.length > 0) process.exitCode = 1;
else console.log(`ok    links of ${pages.length} pages`);
