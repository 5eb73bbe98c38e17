import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Calls of stages and verbs with a function that returns a promise, where they call one that must not. */
const CALLS = [
  'map(async (n: number) => n)',
  'filter(async (n: number) => n > 0)',
  'filterMap(async (n: number) => n)',
  'flatMap(async (n: number) => [n])',
  'tap(async (n: number) => void n)',
  'scan(async (sum: number, n: number) => sum + n, 0)',
  'takeWhile(async (n: number) => n > 0)',
  'dropWhile(async (n: number) => n > 0)',
  'statefulMap({ start: () => ({}), map: async (_, n: number) => n })',
  'statefulMap({ start: () => ({}), map: (_, n: number) => n, flush: async () => 1 })',
  'dedupeConsecutive(async (n: number) => n)',
  'dedupe({ key: async (n: number) => n })',
  'partitionBy(async (n: number) => n, { maxKeys: 9 }, (branch) => branch)',
  'window({ sizeMs: 9, keyBy: async (n: number) => n })',
  'from([1]).route({ all: async () => true })',
  'from([1]).partition(async (n) => n > 0)',
  'from([1]).some(async (n) => n > 0)',
  'from([1]).every(async (n) => n > 0)',
  'from([1]).find(async (n) => n > 0)',
];

const INDEX = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** What the compiler says of a program, a line with its number for each error. */
async function errorsOf(lines: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-types-'));
  try {
    await writeFile(join(folder, 'calls.ts'), lines.join('\n'));
    const compilerOptions = {
      noEmit: true,
      strict: true,
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2022', 'esnext.disposable', 'dom', 'dom.asynciterable'],
      types: [],
      allowImportingTsExtensions: true,
      paths: { '@millrace/core': [INDEX] },
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['calls.ts'] }));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    return await new Promise((resolve) => {
      execFile(process.execPath, [TSC, '--project', folder, '--pretty', 'false'], { cwd: folder }, (_, stdout) =>
        resolve(stdout),
      );
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a function that returns a promise, where a stage takes a synchronous one, is an error that names mapAsync()', async () => {
  const names = [...new Set(CALLS.map((call) => /^\w+/.exec(call)?.[0]))].join(', ');
  const errors = await errorsOf([`import { ${names} } from '@millrace/core';`, ...CALLS.map((call) => `${call};`)]);
  const ofLine = new Map(
    errors.split(/^(?=calls\.ts\()/m).map((error) => [Number(/^calls\.ts\((\d+)/.exec(error)?.[1]), error]),
  );
  const unnamed = CALLS.filter((_, at) => !/mapAsync/i.test(ofLine.get(at + 2) ?? ''));
  expect([unnamed, ofLine.size]).toEqual([[], CALLS.length]);
});
