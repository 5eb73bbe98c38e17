import { expect, test } from 'vitest';
import {
  argumentTable,
  optionsIn,
  optionsOf,
  optionsOfAll,
  optionTypesOf,
  sharedOptions,
  signaturesOf,
} from './option-docs.js';

const types = optionTypesOf(`
/** What many have. */
export interface EdgeOptions<I> {
  /** How many may wait, by {@link size}. */
  readonly highWaterMark?: number | Strategy<I>;
}

export interface RetryOptions {
  /** How often. */
  readonly attempts: number;
}

/** How it is done. */
export interface BaseOptions<I, S extends object = {}> extends EdgeOptions<I>, Omit<Other, 'a'> {
  /**
   * Says which | that goes,
   * and when.
   */
  when?(item: I): boolean;
  /** Tries it again. */
  readonly retry?: RetryOptions;
}

export interface OwnOptions<I> extends BaseOptions<I> {
  /** Its own. */
  readonly when: (item: I) => boolean;
  readonly silent?: boolean;
}

export type EitherOptions<T> = BaseOptions<T> &
  ({ /** One. */ readonly one: T; readonly two?: never } | { /** Two. */ readonly two: T; });

export interface EmptyOptions extends Pick<BaseOptions<1>, 'when'> {}

interface Other {
  /** Nobody asks. */
  readonly a: number;
}
`);

const namesOf = (docs: ReturnType<typeof optionsOf>): string[] =>
  docs.map(({ name, isRequired }) => name + (isRequired ? '!' : ''));

test('optionsOf() gives the options of a type before those it extends, with those inside of them', () => {
  expect(namesOf(optionsOf('OwnOptions', types))).toEqual(['.when!', '.retry', '.retry.attempts!']);
  expect(namesOf(optionsOf('EitherOptions', types))).toEqual(['.one', '.two', '.when', '.retry', '.retry.attempts!']);
  expect(namesOf(optionsOf('EmptyOptions', types))).toEqual(['.when']);
  expect(optionsOf('BaseOptions', types)[0]?.text).toBe('Says which | that goes, and when.');
  expect(sharedOptions(types)).toEqual([
    { name: '.highWaterMark', isRequired: false, text: 'How many may wait, by `size`.' },
  ]);
});

test('optionsIn() takes those that a signature picks', () => {
  expect(namesOf(optionsIn("(options: Pick<BaseOptions<number>, 'when' | 'x'>)", types))).toEqual(['.when']);
});

test('optionsOfAll() says that an option is required where each signature requires it', () => {
  const text = `export function f(options: OwnOptions<1>): A;
export function f(
  options: BaseOptions<2>,
): B;
export function g(options: OwnOptions<3>): C {
`;
  expect(signaturesOf(text, 'f', false)).toHaveLength(2);
  expect(namesOf(optionsOfAll(signaturesOf(text, 'f', false), types))).toEqual(['.when', '.retry', '.retry.attempts!']);
  expect(namesOf(optionsOfAll(signaturesOf(text, 'g', false), types))[0]).toBe('.when!');
});

test('argumentTable() has a row for each, and says what is required', () => {
  const rows = [
    { name: 'fn', isRequired: true, text: 'a | b' },
    { name: '.when', isRequired: true, text: 'c' },
  ];
  expect(argumentTable(rows)).toBe('| | |\n| --- | --- |\n| `fn` | a \\| b |\n| `.when`, required | c |');
});
