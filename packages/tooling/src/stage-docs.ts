import { dirname, join, posix } from 'node:path';
import {
  type ArgumentDoc,
  argumentTable,
  flat,
  type OptionTypes,
  optionsOf,
  optionsOfAll,
  RUN_OPTIONS,
  sharedOptions,
  signaturesOf,
  unlinked,
} from './option-docs.js';

/** The libraries whose names a stage has to give, in the order of the line `Elsewhere: …`. */
const PEERS = ['RxJS', 'Rust', 'Akka', 'Node'] as const;

/** A public function that gives a stage or a pipeline, or a verb of pipelines, with its documentation. */
export interface StageDoc {
  /** As it is called: `ndjson.decode`, `toArray`. */
  readonly name: string;
  /** What it is imported from; a verb of pipelines is not imported. */
  readonly entry: string;
  /** Path of its file from the root of the repository. */
  readonly path: string;
  readonly family: string;
  /** The doc comment, without its tags. */
  readonly text: string;
  /** What its comment says of each argument; and its signatures, which say what options there are. */
  readonly arguments: readonly ArgumentDoc[];
  readonly signatures: readonly string[];
  /** What each of the peers calls it; `undefined` where the line is missing or not in its form. */
  readonly elsewhere: readonly string[] | undefined;
  readonly examples: ReadonlyArray<{ readonly title: string; readonly code: string }>;
  /** Whether it is a stage, which has to say what it holds and how it fails; what stages are made with leaves that to them. */
  readonly isStage: boolean;
}

/** A file of an entry: its path from the root, its text, and which of its names are public, as what. */
export interface EntryFile {
  readonly path: string;
  readonly text: string;
  readonly entry: string;
  readonly names: ReadonlyMap<string, string>;
}

const COMMENT = String.raw`\/\*\*((?:[^*]|\*(?!\/))*)\*\/\n`;
const FUNCTION = new RegExp(`${COMMENT}export (?:function|const) (\\w+)`, 'g');
const METHOD = new RegExp(`${COMMENT}  (?:async )?(\\w+)(?=[<(])`, 'g');

/** What a function gives that is part of a flow or a run, or says what becomes of an item that fails; or another name of one. */
const FLOWS =
  /\b(?:Stage|Pipeline|Channel|Sink|\w+Sink|DeadLetterOffice|Fallback)<|^(?:Run|Stopping|Checkpointer)\b|^: typeof \w+ = \w+;/;
/** What a method gives that says something of a pipeline, instead of leading on. */
const ANSWERS = /^(?:Explanation|Topology)\b/;

/** Finds what a file documents of stages, sources, sinks and the verbs of pipelines. */
export function stageDocsOf({ path, text, entry, names }: EntryFile): StageDoc[] {
  const isClass = /^export (?:abstract )?class (?:Pipeline|Terminals)\b/m.test(text);
  const found = new Set<string>();
  return [...text.matchAll(isClass ? METHOD : FUNCTION)].flatMap((match) => {
    const [all, comment = '', symbol = ''] = match;
    const name = isClass ? symbol : names.get(symbol);
    const returns = returnType(text.slice(match.index + all.length));
    if (
      name === undefined ||
      found.has(name) ||
      (isClass ? isInternal(comment) || ANSWERS.test(returns) : !FLOWS.test(returns))
    )
      return [];
    // The first of several signatures has the documentation.
    found.add(name);
    const family = isClass ? 'Pipeline' : familyOf(path, entry);
    return [
      {
        name,
        entry,
        path,
        family,
        ...parsed(comment),
        signatures: signaturesOf(text, symbol, isClass),
        isStage: /\bStage</.test(returns) && !isClass && !entry.endsWith('/authoring'),
      },
    ];
  });
}

const isInternal = (comment: string): boolean => /^\s*\*? ?@internal/m.test(comment);

/** The type behind the parameters; the formatter puts `): Type {` at the end of the first line or of a later one. */
function returnType(rest: string): string {
  const lines = rest.split('\n');
  if (rest.startsWith(':')) return lines[0] ?? '';
  const line = /(?: \{|;)$/.test(lines[0] ?? '') ? lines[0] : lines.find((each) => /^\s*\)/.test(each));
  return (line ?? '').slice((line ?? '').lastIndexOf('): ') + 3);
}

function familyOf(path: string, entry: string): string {
  const folders = posix.relative(dirname(path.replace(/\/src\/.*/, '/src/_')), path).split('/');
  if (entry !== '@millrace/core') return entry;
  if (folders[0] === 'stages') return folders.length > 2 ? (folders[1] as string) : 'compose';
  return folders.length > 1 ? (folders[0] as string) : 'runs';
}

function parsed(comment: string): Pick<StageDoc, 'text' | 'arguments' | 'elsewhere' | 'examples'> {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
  const tags = lines.flatMap((line, at) => (/^@\w/.test(line) ? [at] : []));
  const blocks = tags.map((at, index) => lines.slice(at, tags[index + 1]).join('\n'));
  const remarks = blocks.find((block) => block.startsWith('@remarks Elsewhere:'));
  return {
    text: unlinked(lines.slice(0, tags[0]).join('\n').trim()),
    arguments: blocks.flatMap((block) => {
      const [, name, said] = /^@param (\w+) - ([\s\S]*)$/.exec(block) ?? [];
      return name === undefined || said === undefined ? [] : [{ name, isRequired: true, text: flat(said) }];
    }),
    elsewhere: remarks === undefined ? undefined : peersOf(remarks),
    examples: blocks.flatMap((block) => {
      const [, title, code] = /^@example (.*)\n```ts\n([\s\S]*?)\n```/.exec(block) ?? [];
      return title === undefined || code === undefined ? [] : [{ title, code }];
    }),
  };
}

function peersOf(remarks: string): string[] | undefined {
  const form = new RegExp(`^@remarks Elsewhere: ${PEERS.map((peer) => `${peer} (.+)`).join('; ')}\\.$`);
  return form.exec(remarks.trim().replace(/\s+/g, ' '))?.slice(1);
}

/** Says what is missing in the documentation of each. */
export function problemsOf(docs: readonly StageDoc[]): string[] {
  return docs.flatMap(({ name, path, text, elsewhere, examples, isStage }) => {
    const form = `a line \`@remarks Elsewhere: ${PEERS.map((peer) => `${peer} …`).join('; ')}.\`, with – where there is none`;
    const missing = [
      ...(elsewhere === undefined ? [form] : []),
      ...(isStage && !/^Contract$/m.test(text) ? ['a Contract block'] : []),
      ...(examples.length === 0 ? ['an `@example`'] : []),
    ];
    return missing.map((what) => `${path}: ${name} lacks ${what}`);
  });
}

const FAMILIES: ReadonlyArray<readonly [family: string, title: string]> = [
  ['sources', 'Sources'],
  ['shape', 'One by one'],
  ['group', 'Groups and duplicates'],
  ['flow', 'Time and buffers'],
  ['async', 'Asynchronous work'],
  ['join', 'Joining pipelines'],
  ['split', 'Splitting pipelines'],
  ['fault', 'Items that fail'],
  ['compose', 'Stages of stages'],
  ['Pipeline', 'Verbs of a pipeline'],
  ['runs', 'Runs'],
];

/** The page: a table of all names, then each with its contract and examples. */
export function stagesPage(docs: readonly StageDoc[], types: OptionTypes = new Map()): string {
  const titles = new Map<string, string>(FAMILIES);
  for (const { family } of docs) if (!titles.has(family)) titles.set(family, `\`${family}\``);
  const families = [...titles].map(([family, title]) => ({
    title,
    docs: docs.filter((doc) => doc.family === family).sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  const present = families.filter((family) => family.docs.length > 0);
  return `<!-- Generated from the sources by \`pnpm docs:update\`: edit the comments there. -->

# Stages, sources and verbs

What a pipeline can be made of, and what RxJS, Rust (iterators, futures and tokio-stream), Akka Streams (and Pekko) and the streams of Node call it. A name beside another does much the same; its options may differ.
Every example is run by the tests; \`assert\` is \`node:assert/strict\`, and what is not imported comes from the package named. How items that fail are dealt with: [errors](guides/errors.md).

The tables have the arguments, then the options, with a dot. Some are those of [many stages](#options-that-many-have), and verbs take the [options of a run](#options-of-a-run).

${present.map(tableOf).join('\n\n')}

${present.map((family) => sectionOf(family, types)).join('\n\n')}

## Options that many have

What is said of a stage's own option of this name goes first. \`retry\` and \`timeoutMs\`: [errors](guides/errors.md).

${argumentTable(sharedOptions(types))}

## Options of a run

Of all verbs that start one, and of \`runAll()\`.

${argumentTable(optionsOf(RUN_OPTIONS, types))}
`;
}

function tableOf({ title, docs }: { readonly title: string; readonly docs: readonly StageDoc[] }): string {
  const rows = docs.map(({ name, text, elsewhere }) => {
    const cells = [`[\`${name}\`](#${anchorOf(name)})`, summaryOf(text), ...(elsewhere ?? [])];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [`**${title}**`, '', `| | | ${PEERS.join(' | ')} |`, '| --- | --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function sectionOf(
  { title, docs }: { readonly title: string; readonly docs: readonly StageDoc[] },
  types: OptionTypes,
): string {
  const texts = docs.map(({ name, entry, path, text, examples, ...doc }) => {
    const from = entry === '@millrace/core' ? '' : `From \`${entry}\`. `;
    const shown = examples.map(({ title: what, code }) => `${what}:\n\n\`\`\`ts\n${code}\n\`\`\``);
    const contract = text.replace(/^Contract$/m, '**Contract**\n');
    const given = [...doc.arguments, ...optionsOfAll(doc.signatures, types)];
    const table = given.length === 0 ? [] : [argumentTable(given).replaceAll(`\`${RUN_OPTIONS}\``, RUN_LINK)];
    return [`### ${name}`, contract, ...table, ...shown, `${from}Source: [${posix.basename(path)}](../${path})`].join(
      '\n\n',
    );
  });
  return [`## ${title}`, ...texts].join('\n\n');
}

const RUN_LINK = '[options of a run](#options-of-a-run)';

/** The anchor that Markdown renderers make of the heading. */
const anchorOf = (name: string): string => name.toLowerCase().replaceAll('.', '');

const summaryOf = (text: string): string => (text.split('\n\n')[0] ?? '').replaceAll('\n', ' ');

/** Reads which names an index exports from which files: `export { a, type B } from './a.js'`. */
export function exportsOf(index: string): Map<string, Map<string, string>> {
  const files = new Map<string, Map<string, string>>();
  for (const [, list = '', file = ''] of index.matchAll(/^export \{([^}]*)\} from '(\.[^']+)\.js';$/gm)) {
    const names = list.split(',').flatMap((item) => {
      const [, name, as] = /^(\w+)(?: as (\w+))?$/.exec(item.trim()) ?? [];
      return name === undefined ? [] : [[name, as ?? name] as const];
    });
    const known = files.get(`${file}.ts`) ?? new Map<string, string>();
    for (const [name, as] of names) known.set(name, as);
    files.set(`${file}.ts`, known);
  }
  return files;
}

/** Reads the functions of an exported object such as `ndjson`, `{ decode, encode }`, and the files they come from. */
export function membersOf(file: string, text: string, name: string): Array<readonly [path: string, symbol: string]> {
  const [, list] = new RegExp(`^export const ${name}\\b.* = \\{ ([\\w, ]+) \\};$`, 'm').exec(text) ?? [];
  return (list ?? '').split(', ').flatMap((symbol) => {
    const [, from] = new RegExp(`^import \\{[^}]*\\b${symbol}\\b[^}]*\\} from '([^']+)\\.js';$`, 'm').exec(text) ?? [];
    return symbol === '' || from === undefined ? [] : [[join(dirname(file), `${from}.ts`), symbol] as const];
  });
}
