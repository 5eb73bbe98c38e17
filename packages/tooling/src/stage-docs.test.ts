import { expect, test } from 'vitest';
import { exportsOf, membersOf, problemsOf, stageDocsOf, stagesPage } from './stage-docs.js';

const STAGE = `
/**
 * Doubles each item.
 *
 * See {@link halve}.
 *
 * Contract
 * - Order: kept.
 *
 * @param options - \`name\`.
 * @remarks Elsewhere: RxJS \`double\`; Rust \`double\`, \`twice\`;
 *   Akka –; Node –.
 *
 * @example Two
 * \`\`\`ts
 * assert.equal(await from([1]).pipeThrough(double()).first(), 2);
 * \`\`\`
 * @see elsewhere
 */
export function double<T extends number>(
  options: { open(): Options } = {},
): Stage<T, number> {
  return 2;
}

/** Halves each item. */
export function halve(): Stage<number, number>;
/** Halves each item, by options. */
export function halve(options: Options): Stage<number, number>;

/** {@link double} by another name. */
export const twice: typeof double = double;

/** Both. */
export const numbers: { readonly double: typeof double } = { double };

/** Says whether it is even. */
export function isEven(value: number): boolean {}
`;

const names = new Map(['double', 'halve', 'twice', 'numbers', 'isEven'].map((name) => [name, name]));
const file = { path: 'packages/count/src/stages/shape/count.ts', text: STAGE, entry: '@millrace/core', names };

test('stageDocsOf() finds the exported functions that give a stage, each by its first signature', () => {
  const docs = stageDocsOf(file);
  expect(docs.map(({ name, family, isStage }) => [name, family, isStage])).toEqual([
    ['double', 'shape', true],
    ['halve', 'shape', true],
    ['twice', 'shape', false],
  ]);
  expect(docs[0]).toMatchObject({
    text: 'Doubles each item.\n\nSee `halve`.\n\nContract\n- Order: kept.',
    elsewhere: ['`double`', '`double`, `twice`', '–', '–'],
    examples: [{ title: 'Two', code: 'assert.equal(await from([1]).pipeThrough(double()).first(), 2);' }],
  });
  expect(stageDocsOf({ ...file, names: new Map([['double', 'numbers.double']]) })).toMatchObject([
    { name: 'numbers.double' },
  ]);
});

test('stageDocsOf() takes the verbs of a pipeline, and no other methods', () => {
  const text = `export abstract class Terminals<T> {
  /** Counts. */
  async count(options?: RunOptions): Promise<number> {
  }
  /** Explains. */
  explain(): Explanation {
  }
  /** @internal */
  secret(): Routed<T> {
  }
  /** Parts. */
  route(): Routed<T> {
  }
}`;
  const verbs = stageDocsOf({ ...file, path: 'packages/core/src/terminals.ts', text });
  expect(verbs.map(({ name, family }) => [name, family])).toEqual([
    ['count', 'Pipeline'],
    ['route', 'Pipeline'],
  ]);
});

test('problemsOf() says all that is missing, of all at once', () => {
  const wrong = STAGE.replace('Akka –; ', '').replace('Contract', 'Contracts');
  expect(problemsOf(stageDocsOf(file).slice(0, 1))).toEqual([]);
  const form = 'a line `@remarks Elsewhere: RxJS …; Rust …; Akka …; Node ….`, with – where there is none';
  expect(problemsOf(stageDocsOf({ ...file, text: wrong }))).toEqual([
    `${file.path}: double lacks ${form}`,
    `${file.path}: double lacks a Contract block`,
    `${file.path}: halve lacks ${form}`,
    `${file.path}: halve lacks a Contract block`,
    `${file.path}: halve lacks an \`@example\``,
    `${file.path}: twice lacks ${form}`,
    `${file.path}: twice lacks an \`@example\``,
  ]);
});

test('stagesPage() has a row and a section for each', () => {
  const page = stagesPage(stageDocsOf(file));
  expect(page).toContain('| [`double`](#double) | Doubles each item. | `double` | `double`, `twice` | – | – |');
  expect(page).toContain(
    '### double\n\nDoubles each item.\n\nSee `halve`.\n\n**Contract**\n\n- Order: kept.\n\n| | |\n| --- | --- |\n| `options` | `name`. |\n\nTwo:\n\n```ts\n',
  );
  expect(page).toContain('Source: [count.ts](../packages/count/src/stages/shape/count.ts)');
});

test('exportsOf() gives the values of an index by file, and membersOf() those of an exported object', () => {
  const index =
    "export { type A, map } from './map.js';\nexport { decode as parse } from './b/c.js';\nexport type { D } from './d.js';";
  expect([...exportsOf(index)].map(([path, found]) => [path, [...found]])).toEqual([
    ['./map.ts', [['map', 'map']]],
    ['./b/c.ts', [['decode', 'parse']]],
  ]);
  const object =
    "import { decode } from './decode.js';\nexport const ndjson: { readonly decode: typeof decode } = { decode };\n";
  expect(membersOf('src/ndjson/ndjson.ts', object, 'ndjson')).toEqual([['src/ndjson/decode.ts', 'decode']]);
});
