// The synchronous steps, each by itself: a program has those whose stages it uses. Each public stage of a kind says what it does.

import type { Clock } from '../clock.js';
import * as copies from './copies.gen.js';
import { Cursor } from './cursor.js';
import { cursorText } from './cursor-text.js';
import { bytesOf, type OpenBytes } from './open-batch.js';
import type { SavedKeys, SeenKeys } from './seen-keys.js';
import { freshArray, iterate, type Names, NOTHING, type StepKind, sameValue, truthy } from './step.js';

const call = (names: Names): string => `${names.param(0)}(${names.in}, ${names.index})`;

/** Asks the predicate for its `answer`; what is neither `true` nor `false` is looked at closer. */
const ask = (names: Names): string =>
  `let answer; ${names.attempt(call(names), (result) => `answer = ${result}; if (answer !== true && answer !== false) answer = truthy(answer);`)}`;

const startedState = (names: Names): string =>
  `(${names.state} == null ? ${names.state} = ${names.param(1)}() : ${names.state})`;

export const MAP: StepKind = {
  id: 'map',
  splits: false,
  each: (n) => n.attempt(call(n), (result) => `${n.out} = ${result};`),
  copies: copies.map,
  guardedCopies: copies.mapGuarded,
};

export const TAP: StepKind = {
  id: 'tap',
  splits: false,
  each: (n) => `${n.attempt(call(n), (result) => `${result};`)} ${n.out} = ${n.in};`,
  copies: copies.tap,
  guardedCopies: copies.tapGuarded,
};

export const FILTER: StepKind = {
  id: 'filter',
  splits: true,
  tally: 'filtered',
  each: (n) => `${ask(n)} if (!answer) ${n.drop} ${n.out} = ${n.in};`,
  calls: { truthy },
  copies: copies.filter,
  guardedCopies: copies.filterGuarded,
};

export const FILTER_MAP: StepKind = {
  id: 'filterMap',
  splits: true,
  tally: 'filtered',
  each: (n) => `${n.attempt(call(n), (result) => `${n.out} = ${result};`)} if (${n.out} === undefined) ${n.drop}`,
  copies: copies.filterMap,
  guardedCopies: copies.filterMapGuarded,
};

export const DROP: StepKind = {
  id: 'drop',
  splits: true,
  tally: 'filtered',
  each: (n) => `if (${n.index} < ${n.param(0)}) ${n.drop} ${n.out} = ${n.in};`,
  copies: copies.drop,
};

export const DROP_WHILE: StepKind = {
  id: 'dropWhile',
  keeps: true,
  splits: true,
  tally: 'filtered',
  // Whether all items so far were left out.
  start: () => true,
  each: (n) => `if (${n.state}) { ${ask(n)} if (answer) ${n.drop} ${n.state} = false; } ${n.out} = ${n.in};`,
  calls: { truthy },
  copies: copies.dropWhile,
  guardedCopies: copies.dropWhileGuarded,
};

export const TAKE: StepKind = {
  id: 'take',
  stops: true,
  splits: false,
  each: (n) => `if (${n.index} + 1 >= ${n.param(0)}) ${n.stop} ${n.out} = ${n.in};`,
  room: (_state, entered, params) => (params[0] as number) - entered,
  isOver: (_state, entered, params) => entered >= (params[0] as number),
  copies: copies.take,
};

export const TAKE_WHILE: StepKind = {
  id: 'takeWhile',
  stops: true,
  keeps: true,
  splits: true,
  tally: 'filtered',
  // Whether an item has come for which the predicate is not true; the second parameter, whether that passes as the last.
  start: () => false,
  each: (n) =>
    `${ask(n)} if (!answer) { ${n.stop} ${n.state} = true; if (!${n.param(1)}) ${n.drop} } ${n.out} = ${n.in};`,
  isOver: (state) => state === true,
  calls: { truthy },
  copies: copies.takeWhile,
  guardedCopies: copies.takeWhileGuarded,
};

export const SCAN: StepKind = {
  id: 'scan',
  keeps: true,
  folds: true,
  splits: false,
  start: (seed) => seed,
  each: (n) =>
    `${n.attempt(`${n.param(0)}(${n.state}, ${n.in}, ${n.index})`, (result) => `${n.state} = ${result};`)} ${n.out} = ${n.state};`,
  copies: copies.scan,
  guardedCopies: copies.scanGuarded,
};

export const STATEFUL_MAP: StepKind = {
  id: 'statefulMap',
  keeps: true,
  splits: true,
  tally: 'made',
  // Made by the second parameter when it is first needed, since that may throw; null once it was flushed, so that a run
  // that goes on from there does not hand it on again.
  start: () => undefined,
  each: (n) => n.attempt(`${n.param(0)}(${startedState(n)}, ${n.in}, ${n.index})`, (result) => `${n.out} = ${result};`),
  // What throws has been made, and goes no further.
  flush: (n) =>
    `if (${n.state} === null) ${n.hold} ${n.absorb('1')} ${n.call(`${n.out} = ${n.param(2)}(${startedState(n)}); ${n.state} = null;`)} if (${n.out} === undefined) { ${n.absorb('-1')} ${n.hold} }`,
  copies: copies.statefulMap,
  guardedCopies: copies.statefulMapGuarded,
};

export const BATCH: StepKind = {
  id: 'batch',
  splits: true,
  tally: 'absorbed',
  start: freshArray,
  each: (n) =>
    // PERF: 1.17 times as fast as push() (core/sync-fused, 4 steps).
    `const length = ${n.state}.length; ${n.state}[length] = ${n.in}; if (length + 1 < ${n.param(0)}) ${n.hold} ` +
    `${n.absorb(n.param(0))} ${n.out} = ${n.state}; ${n.state} = [];`,
  flush: (n) =>
    `if (${n.state}.length === 0) ${n.hold} ${n.absorb(`${n.state}.length`)} ${n.out} = ${n.state}; ${n.state} = [];`,
  room: (state, _entered, params) => (params[0] as number) - (state as unknown[]).length,
  held: (state) => (state as unknown[]).length,
  copies: copies.batch,
};

export const BATCH_BY_SIZE: StepKind = {
  id: 'batchBySize',
  splits: true,
  tally: 'absorbed',
  // The parameters are `sizeOf`, `maxItems` and `maxBytes`.
  start: (): OpenBytes => ({ items: freshArray(), bytes: 0 }),
  each: (n) =>
    `let bytes; ${n.attempt(`${n.param(0)}(${n.in})`, (result) => `bytes = bytesOf(${result});`)} const open = ${n.state}; ` +
    `if (open.bytes + bytes > ${n.param(2)} && open.items.length > 0) { ${n.out} = open.items; open.items = [${n.in}]; open.bytes = bytes; } ` +
    `else { open.bytes += bytes; const length = open.items.length; open.items[length] = ${n.in}; if (length + 1 < ${n.param(1)} && open.bytes < ${n.param(2)}) ${n.hold} ` +
    `${n.out} = open.items; open.items = []; open.bytes = 0; } ${n.absorb(`${n.out}.length`)}`,
  flush: (n) =>
    `const open = ${n.state}; if (open.items.length === 0) ${n.hold} ${n.out} = open.items; open.items = []; open.bytes = 0; ${n.absorb(`${n.out}.length`)}`,
  room: (state, _entered, params) => (params[1] as number) - (state as OpenBytes).items.length,
  held: (state) => (state as OpenBytes).items.length,
  calls: { bytesOf },
  copies: copies.batchBySize,
  guardedCopies: copies.batchBySizeGuarded,
};

export const DEDUPE_CONSECUTIVE: StepKind = {
  id: 'dedupeConsecutive',
  keeps: true,
  splits: true,
  tally: 'deduped',
  start: () => NOTHING,
  each: (n) => `if (sameValue(${n.in}, ${n.state})) ${n.drop} ${n.state} = ${n.in}; ${n.out} = ${n.in};`,
  calls: { sameValue },
  copies: copies.dedupeConsecutive,
};

export const DEDUPE_CONSECUTIVE_BY: StepKind = {
  id: 'dedupeConsecutiveBy',
  keeps: true,
  splits: true,
  tally: 'deduped',
  start: () => NOTHING,
  each: (n) =>
    `let key; ${n.attempt(call(n), (result) => `key = ${result};`)} if (sameValue(key, ${n.state})) ${n.drop} ${n.state} = key; ${n.out} = ${n.in};`,
  calls: { sameValue },
  copies: copies.dedupeConsecutiveBy,
  guardedCopies: copies.dedupeConsecutiveByGuarded,
};

export const DEDUPE: StepKind = {
  id: 'dedupe',
  keeps: true,
  splits: true,
  tally: 'deduped',
  start: (make, clock) => (make as (clock: Clock) => unknown)(clock),
  each: (n) =>
    `let key; ${n.attempt(call(n), (result) => `key = ${result};`)} if (!${n.state}.isNew(key)) ${n.drop} ${n.out} = ${n.in};`,
  save: (state) => (state as SeenKeys).save(),
  restore: (state, saved) => (state as SeenKeys).restore(saved as SavedKeys),
  copies: copies.dedupe,
  guardedCopies: copies.dedupeGuarded,
};

export const FLAT_MAP: StepKind = {
  id: 'flatMap',
  splits: true,
  tally: 'absorbed',
  each: (n) => `let many; ${n.attempt(call(n), (result) => `many = iterate(${result});`)} ${n.open('many')}`,
  cursor: { make: () => new Cursor(), text: cursorText },
  calls: { iterate },
  copies: copies.flatMap,
  guardedCopies: copies.flatMapGuarded,
};
