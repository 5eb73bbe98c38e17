import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { ROOT, workspaces } from './workspace.js';

/** A fenced `ts` block of the documentation. */
export interface DocExample {
  /** What the test is called. */
  readonly title: string;
  /** Line of the first line of code in the file, from 1. */
  readonly line: number;
  readonly code: string;
  /** False for a block fenced as `ts no-run`: type-checked only. */
  readonly runs: boolean;
}

/** Name of the git-ignored folders into which the examples are written as tests. */
export const FOLDER = '.doc-examples';

const FENCE = /^\s*```(\w*)\s*(no-run)?\s*$/;

/** Extracts the `ts` blocks of every `@example` in the doc comments of a TypeScript source. */
export function examplesOfSource(text: string): DocExample[] {
  return [...text.matchAll(/\/\*\*(?:[^*]|\*(?!\/))*\*\//g)].flatMap((comment) => {
    const firstLine = text.slice(0, comment.index).split('\n').length;
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*) ?/, ''));
    return blocks(lines, firstLine, /^@example\b\s*(.*)$/, /^@\w+/);
  });
}

/** Extracts the `ts` blocks of a Markdown page; the title is the nearest heading above. */
export function examplesOfMarkdown(text: string): DocExample[] {
  return blocks(text.split('\n'), 1, /^#+\s+(.*)$/, undefined);
}

function blocks(lines: readonly string[], firstLine: number, opens: RegExp, closes: RegExp | undefined): DocExample[] {
  const found: DocExample[] = [];
  let title: string | undefined;
  let fence: { readonly start: number; readonly language: string; readonly runs: boolean } | undefined;
  lines.forEach((line, index) => {
    const mark = FENCE.exec(line);
    if (fence !== undefined) {
      if (mark === null) return;
      if (title !== undefined && (fence.language === 'ts' || fence.language === 'typescript')) {
        const code = lines.slice(fence.start, index).join('\n');
        found.push({ title, line: firstLine + fence.start, code, runs: fence.runs });
      }
      fence = undefined;
    } else if (mark !== null) {
      fence = { start: index + 1, language: mark[1] ?? '', runs: mark[2] === undefined };
    } else if (opens.test(line)) {
      title = opens.exec(line)?.[1]?.trim() ?? '';
    } else if (closes?.test(line) === true) {
      title = undefined;
    }
  });
  return found;
}

/**
 * Lists what the index of a package exports. It reads `export { a, type B } from './a.js'` and `export type { … }`; the
 * index has nothing else.
 */
export function exportedNames(index: string): { readonly name: string; readonly isType: boolean }[] {
  const code = index.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return [...code.matchAll(/export\s+(type\s+)?\{([^}]*)\}/g)].flatMap(([, allTypes, list = '']) =>
    list
      .split(',')
      .map((item) => /^(type\s+)?(?:[\w$]+\s+as\s+)?([\w$]+)$/.exec(item.trim()))
      .filter((match) => match !== null)
      .map((match) => ({ name: match[2] as string, isType: allTypes !== undefined || match[1] !== undefined })),
  );
}

/**
 * Writes the examples of one file as a vitest module. Names in `exports` need no import, nor does `assert`; but a block of
 * a page has to import what it uses, so that it can be copied.
 */
export function renderExamples(
  file: string,
  examples: readonly DocExample[],
  packageName: string,
  exports: ReturnType<typeof exportedNames>,
): string {
  const imports = new Map<string, string>([
    ['assert', "import assert from 'node:assert/strict';"],
    ['exampleTest', "import { test as exampleTest } from 'vitest';"],
  ]);
  if (file.endsWith('.md')) for (const example of examples) refuseBare(file, example);
  const bodies = examples.map((example) => ({ ...example, code: hoistImports(file, example, imports) }));
  const used = new Set(bodies.flatMap(({ code }) => code.match(/[\w$]+/g) ?? []));
  for (const { name, isType } of exports) {
    if (used.has(name) && !imports.has(name)) {
      imports.set(name, `import { ${isType ? 'type ' : ''}${name} } from '${packageName}';`);
    }
  }
  const tests = bodies.map(({ title, line, code, runs }) => {
    const name = JSON.stringify(`${file}:${line} ${title}`.trim());
    const body = `async () => {\n${code}\n}`;
    return runs ? `exampleTest(${name}, ${body});` : `void (${body});`;
  });
  // Vitest refuses a file without a test.
  if (!bodies.some(({ runs }) => runs)) tests.push(`exampleTest(${JSON.stringify(`${file} type-checks`)}, () => {});`);
  return `${['// Generated from the documentation.', ...imports.values(), ...tests].join('\n')}\n`;
}

function refuseBare(file: string, { code, line }: DocExample): void {
  if (!/^(?!import\b).*\bassert\b/m.test(code) || /^import assert\b/m.test(code)) return;
  throw new Error(
    `Cannot copy the example at ${file}:${line}: it uses assert (must import it, from 'node:assert/strict')`,
  );
}

/** Takes the import statements out of an example into `imports` (local name to statement) and returns the rest. */
function hoistImports(file: string, { code, line }: DocExample, imports: Map<string, string>): string {
  const statement =
    /^import\s+(type\s+)?(?:([\w$]+)\s*,?\s*)?(?:\*\s+as\s+([\w$]+)|\{([^}]*)\})?\s*from\s*'([^']+)';?/gm;
  const add = (local: string, text: string): void => {
    const known = imports.get(local);
    if (known !== undefined && known !== text) {
      throw new Error(`Cannot import ${local} in ${file}:${line}: another example imports it differently`);
    }
    imports.set(local, text);
  };
  return code.replace(statement, (all, type = '', byDefault, namespace, list = '', from) => {
    if (byDefault) add(byDefault, `import ${type}${byDefault} from '${from}';`);
    if (namespace) add(namespace, `import ${type}* as ${namespace} from '${from}';`);
    for (const item of list
      .split(',')
      .map((part: string) => part.trim().replace(/\s+/g, ' '))
      .filter(Boolean)) {
      const local = item.slice(item.lastIndexOf(' ') + 1);
      add(local, `import { ${type ? 'type ' : ''}${item} } from '${from}';`);
    }
    // Line numbers of what follows stay as they are.
    return '\n'.repeat(all.split('\n').length - 1);
  });
}

/** Writes the examples of the whole repository into `.doc-examples` folders, and removes those that are gone. */
export function writeDocExamples(): void {
  for (const { directory, manifest } of workspaces().filter(({ isPublished }) => isPublished)) {
    const sources = listFiles(join(directory, 'src'), /(?<!\.test|\.test-d|\.gen)\.ts$/);
    const index = join(directory, 'src/index.ts');
    const exports = existsSync(index) ? exportedNames(readFileSync(index, 'utf8')) : [];
    writeFolder(directory, [...sources, ...listFiles(directory, /README\.md$/, false)], manifest.name, exports);
  }
  // The examples of a generated page are those of the sources.
  const guides = listFiles(join(ROOT, 'docs'), /\.md$/).filter(
    (file) => !readFileSync(file, 'utf8').startsWith('<!-- Gen'),
  );
  writeFolder(ROOT, [...listFiles(ROOT, /\.md$/, false), ...guides], '', []);
}

function writeFolder(
  directory: string,
  files: readonly string[],
  packageName: string,
  exports: ReturnType<typeof exportedNames>,
): void {
  const folder = join(directory, FOLDER);
  const written = new Set<string>();
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const examples = file.endsWith('.md') ? examplesOfMarkdown(text) : examplesOfSource(text);
    if (examples.length === 0) continue;
    const target = join(folder, `${relative(directory, file).replace(/\.\w+$/, '')}.examples.test.ts`);
    const path = relative(ROOT, file).split(sep).join('/');
    const rendered = renderExamples(path, examples, packageName, path.endsWith('.md') ? [] : exports);
    written.add(target);
    // Unchanged files keep their time, so that watchers stay quiet.
    if (existsSync(target) && readFileSync(target, 'utf8') === rendered) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, rendered);
  }
  for (const file of listFiles(folder, /./)) if (!written.has(file)) rmSync(file);
}

function listFiles(directory: string, pattern: RegExp, isDeep = true): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true, recursive: isDeep })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
