import { isThenable } from './answer.js';
import { callContext } from './call-context.js';
import type { Names, StepKind } from './step.js';
import { WAITING_TEXT } from './waiting-text.js';

const id = 'mapAsync';
const calls = { isThenable, callContext };

/** Calls an asynchronous function on one item at a time: `mapAsync()` as part of a group that ends with a sink. */
export const MAP_ASYNC: StepKind = {
  id,
  splits: true,
  calls,
  waiting: WAITING_TEXT,
  each: (n) =>
    `${n.call(`${n.out} = ${n.param(0)}(${n.in}, callContext(${n.index}, S.context));`)} if (isThenable(${n.out})) ${n.await(n.out)} ${n.park(n.out)}`,
};

/** The same with a policy. */
export const MAP_ASYNC_GUARDED: StepKind = {
  id,
  splits: true,
  isGuarded: true,
  calls,
  waiting: WAITING_TEXT,
  each: (n) => guarded(n, `callContext(${n.index}, S.context)`),
};

/** The same where each call has a limited time, and so a signal of its own. */
export const MAP_ASYNC_TIMED: StepKind = {
  id,
  splits: true,
  isGuarded: true,
  isTimed: true,
  calls,
  waiting: WAITING_TEXT,
  each: (n) => guarded(n, `S.begin(${n.index})`),
};

/** The item is kept while its promise is pending, and what the function throws is as a promise that rejects. */
function guarded(n: Names, context: string): string {
  return (
    `try { ${n.out} = ${n.param(0)}(${n.in}, ${context}); } catch (error) { ${n.out} = Promise.reject(error); } ` +
    `if (isThenable(${n.out})) { S.item = ${n.in}; ${n.await(n.out)} } ${n.park(n.out)}`
  );
}
