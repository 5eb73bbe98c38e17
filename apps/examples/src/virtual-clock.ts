import type { Clock } from '@millrace/core';

/** A clock on which the next timer is due as soon as nothing else is left to do: seconds take no time in tests. */
export function virtualClock(): Clock & { readonly pending: number } {
  const timers = new Map<object, { readonly dueMs: number; readonly callback: () => void }>();
  let nowMs = 0;
  function fireNext(): void {
    const [first] = [...timers].sort(([, a], [, b]) => a.dueMs - b.dueMs);
    if (first === undefined) return;
    const [timer, { dueMs, callback }] = first;
    timers.delete(timer);
    nowMs = Math.max(nowMs, dueMs);
    callback();
    if (timers.size > 0) setImmediate(fireNext);
  }
  return {
    now: () => nowMs,
    setTimer(callback, delayMs) {
      const timer = { clear: () => void timers.delete(timer) };
      if (timers.size === 0) setImmediate(fireNext);
      timers.set(timer, { dueMs: nowMs + delayMs, callback });
      return timer;
    },
    get pending() {
      return timers.size;
    },
  };
}
