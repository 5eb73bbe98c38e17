import { CopiedEmit } from './copied-node.js';
import * as copies from './copies.gen.js';
import { freshArray, type Names, NOTHING, type SinkKind, truthy } from './step.js';

const isPromise = (value: string): string =>
  `typeof ${value} === 'object' && ${value} !== null && typeof ${value}.then === 'function'`;

const predicate = (n: Names, then: string): string =>
  `let answer; ${n.call(`answer = ${n.param(0)}(${n.in}, ${n.index}); if (answer !== true && answer !== false) answer = truthy(answer);`)} ${then}`;

const calls = { truthy };

/** The kinds of sinks there are. */
export type SinkId =
  | 'collect'
  | 'collectInto'
  | 'reduce'
  | 'forEach'
  | 'count'
  | 'first'
  | 'last'
  | 'find'
  | 'some'
  | 'every';

/** The sinks that a group can end with, by the terminal that uses them. */
export const SINKS: Readonly<Record<SinkId, SinkKind>> = {
  collect: {
    id: 'collect',
    copies: copies.collect,
    waits: false,
    start: freshArray,
    each: (n) => `${n.state}[${n.index}] = ${n.in};`,
    result: (state) => state,
  },
  collectInto: {
    id: 'collectInto',
    copies: copies.collectInto,
    waits: false,
    start: (target) => target,
    each: (n) =>
      n.call(
        `if (${n.index} >= ${n.param(0)}) throw new RangeError('the array is full (must have room for all items): ' + ${n.param(0)}); ` +
          `${n.state}[${n.index}] = ${n.in};`,
      ),
    result: (_state, entered) => entered,
  },
  reduce: {
    id: 'reduce',
    copies: copies.reduce,
    waits: true,
    folds: true,
    start: (seed) => seed,
    each: (n) =>
      `${n.call(`${n.state} = ${n.param(0)}(${n.state}, ${n.in}, ${n.index});`)} if (${isPromise(n.state)}) ${n.wait(n.state)}`,
    result: (state) => state,
    resumed: (_state, value) => value,
  },
  forEach: {
    id: 'forEach',
    copies: copies.forEach,
    waits: true,
    each: (n) =>
      `let done; ${n.call(`done = ${n.param(0)}(${n.in}, ${n.index});`)} if (done !== undefined && ${isPromise('done')}) ${n.wait('done')}`,
  },
  count: { id: 'count', copies: copies.count, waits: false, each: () => '', result: (_state, entered) => entered },
  first: {
    id: 'first',
    copies: copies.first,
    waits: false,
    stops: true,
    each: (n) => `${n.state} = ${n.in}; ${n.stop}`,
    result: (state) => state,
  },
  last: {
    id: 'last',
    copies: copies.last,
    waits: false,
    each: (n) => `${n.state} = ${n.in};`,
    result: (state) => state,
  },
  find: {
    id: 'find',
    copies: copies.find,
    calls,
    waits: false,
    stops: true,
    each: (n) => predicate(n, `if (answer) { ${n.state} = ${n.in}; ${n.stop} }`),
    result: (state) => state,
  },
  some: {
    id: 'some',
    copies: copies.some,
    calls,
    waits: false,
    stops: true,
    start: () => NOTHING,
    each: (n) => predicate(n, `if (answer) { ${n.state} = true; ${n.stop} }`),
    result: (state) => state !== NOTHING,
  },
  every: {
    id: 'every',
    copies: copies.every,
    calls,
    waits: false,
    stops: true,
    start: () => NOTHING,
    each: (n) => predicate(n, `if (!answer) { ${n.state} = false; ${n.stop} }`),
    result: (state) => state === NOTHING,
  },
};

/** Hands bursts of items on. */
export const EMIT: SinkKind = { id: 'emit', copies: () => [CopiedEmit], waits: false, each: () => '' };
