// What the tests run on worker threads: plain JavaScript, since a Node 20 worker runs no TypeScript.
import { transferred } from '@millrace/parallel/worker';

export const increment = (n) => n + 1;

export const later = async (n) => n * 10;

/** Waits, without giving the thread away, until the place of the item in the shared array is set. */
export function gated({ index, gate, began }) {
  if (began !== undefined) Atomics.add(began, 0, 1);
  Atomics.wait(gate, index, 0);
  return index;
}

/** Takes what the item says, busily. */
export function spin({ index, turns }) {
  let x = 0;
  for (let turn = 0; turn < turns; turn++) x += Math.sqrt(turn);
  return x < 0 ? -1 : index;
}

export class OddError extends RangeError {}

export function throwAt({ n, at }) {
  if (n !== at) return n;
  const cause = new TypeError('inner');
  throw Object.assign(new OddError(`odd ${n}`, { cause }), { code: 'E_ODD', details: { n }, call: () => n });
}

export function throwText() {
  throw 'a text';
}

export function exitAt({ n, at }) {
  if (n === at) process.exit(3);
  return n;
}

/** Ends its worker the first time that it sees the item, as the shared array remembers. */
export function exitOnce({ n, at, seen }) {
  Atomics.add(seen, n, 1);
  if (n === at && seen[n] === 1) process.exit(3);
  return n;
}

export function crashLater(n) {
  setImmediate(() => {
    throw new Error('out of the blue');
  });
  return new Promise(() => n);
}

export function exhaust(n) {
  const kept = [];
  for (;;) kept.push(new Array(10_000).fill(n));
}

export function hangAt({ n, at, began }) {
  if (began !== undefined) Atomics.add(began, 0, 1);
  while (n === at);
  return n;
}

/** Waits for the abort, in the way of code that never gives the thread away. */
export function untilAborted({ began, ended }, context) {
  Atomics.add(began, 0, 1);
  while (!context.isAborted);
  Atomics.add(ended, 0, 1);
}

/** Waits for the abort, as an event. */
export function untilSignal({ began, ended }, { signal }) {
  Atomics.add(began, 0, 1);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      Atomics.add(ended, 0, 1);
      resolve();
    });
  });
}

export const indexOf = (_item, { index }) => index;

export const squares = (numbers) => {
  const result = numbers.map((n) => n * n);
  return transferred(result, [result.buffer]);
};

export const unclonableAt = ({ n, at }) => (n === at ? () => n : n);

/** Does at one item what it says: exits, throws, or rejects. */
export function failAt({ n, at, how }) {
  if (n === at && how === 'exit') process.exit(3);
  if (n === at && how === 'throw') throw new Error('thrown');
  if (n === at) return Promise.reject(new Error('rejected'));
  return n % 50 === 0 ? Promise.resolve(n) : n;
}

/** Throws, exits, hangs or gives what can't be cloned, where the item says so. */
export function obey({ n, how, began }) {
  if (began !== undefined) Atomics.add(began, 0, 1);
  if (how === 'throw') throw new RangeError(`item ${n}`);
  if (how === 'reject') return Promise.reject(new RangeError(`item ${n}`));
  if (how === 'exit') process.exit(3);
  if (how === 'unclonable') return () => n;
  while (how === 'hang');
  return n;
}

/** Fails on an item as often as it says, which the shared array counts, in the way that it says; gives the try. */
export function failFirst({ n, fails, how, tries }, { attempt }) {
  const isFailing = Atomics.add(tries, n, 1) < fails;
  if (isFailing && how === 'throw') throw new RangeError(`item ${n}, try ${attempt}`);
  if (isFailing && how === 'reject') return Promise.reject(new RangeError(`item ${n}, try ${attempt}`));
  if (isFailing && how === 'exit') process.exit(3);
  while (isFailing && how === 'hang');
  return [n, attempt];
}

/** Ends its worker at a column that begins with -1; others it moves back. */
export const exitAtMinusOne = (column) => {
  if (column[0] === -1) process.exit(3);
  return transferred(column[0], [column.buffer]);
};

export const same = (item) => item;

export const value = 1;

const scratch = new Float64Array(4);

/** Moves one and the same buffer every time, which is gone after the first. */
export const moveTwice = () => transferred(scratch, [scratch.buffer]);
