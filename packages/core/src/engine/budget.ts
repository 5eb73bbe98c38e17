// Law 7: all runs of a thread share one budget of time. After 10 ms of work the engine gives way to timers, sockets and
// signals. Reading the clock costs 44 ns, so it is read once every 1 to 1,024 items, adapting to what they cost.

import { captureContext } from './async-context.js';

const BUDGET_MS = 10;
const MOST_BETWEEN_LOOKS = 1024;
const SHORT_MS = 0.5;
const LONG_MS = 2;

declare const setImmediate: ((callback: () => void) => unknown) | undefined;

const now = performance.now.bind(performance);
const nextTurn = makeNextTurn();

let between = 1;
let left = 1;
let lookedAt = now();
let deadline = lookedAt + BUDGET_MS;
let isTurnAsked = false;
/** Who waits, in the order in which they go on, and how: in the asynchronous context that they wait in. */
const waiting = new Map<() => void, () => void>();

/** How many items may be worked on before the clock is looked at again: 1 to 1,024. */
export function allowance(): number {
  return left;
}

/** Counts work done. `true` says that the time is up: the caller must stop and go on in {@link whenMyTurn}. */
export function spend(items: number): boolean {
  left -= items;
  return left <= 0 && isTimeUp();
}

/**
 * Calls `resume` in a later turn of the event loop; runs that wait take turns, within one budget for each turn. Whoever
 * waits already does not wait twice: a node that asks for its turn again whenever it is pulled would else have more and
 * more of them.
 *
 * The turn is one of the platform for all of them, asked for by whoever came first: each goes on in the asynchronous
 * context (`AsyncLocalStorage`) that it waits in.
 */
export function whenMyTurn(resume: () => void): void {
  if (waiting.has(resume)) return;
  const inContext = captureContext?.();
  waiting.set(resume, inContext === undefined ? resume : () => inContext(resume));
  if (!isTurnAsked) {
    isTurnAsked = true;
    nextTurn(takeTurn);
  }
}

function isTimeUp(): boolean {
  const at = now();
  const took = at - lookedAt;
  if (took < SHORT_MS) between = Math.min(between * 2, MOST_BETWEEN_LOOKS);
  else if (took > LONG_MS) between = Math.max(1, Math.floor((between * LONG_MS) / took));
  lookedAt = at;
  const isUp = at >= deadline;
  // Whoever comes next before the turn ends looks again after one item.
  left = isUp ? 1 : between;
  return isUp;
}

function takeTurn(): void {
  isTurnAsked = false;
  lookedAt = now();
  deadline = lookedAt + BUDGET_MS;
  // Those that come meanwhile are behind, and wait for the next turn.
  let more = waiting.size;
  for (const [resume, goOn] of waiting) {
    waiting.delete(resume);
    goOn();
    if (--more === 0 || now() >= deadline) break;
  }
  if (waiting.size > 0 && !isTurnAsked) {
    isTurnAsked = true;
    nextTurn(takeTurn);
  }
}

function makeNextTurn(): (callback: () => void) => void {
  // Taken when the module loads, so that fake timers of a test do not stop the engine.
  if (typeof setImmediate === 'function') {
    const immediate = setImmediate;
    return (callback) => void immediate(callback);
  }
  const channel = new MessageChannel();
  let pending: (() => void) | undefined;
  channel.port1.onmessage = () => pending?.();
  return (callback) => {
    pending = callback;
    channel.port2.postMessage(undefined);
  };
}
