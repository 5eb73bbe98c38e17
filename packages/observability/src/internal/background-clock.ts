import { type Clock, systemClock } from '@millrace/core';

/** The time of the platform, with timers that keep no process alive: who watches a program must not hold it up. */
export const backgroundClock: Clock = {
  now: systemClock.now,
  setTimer(callback, delayMs) {
    const id: unknown = setTimeout(callback, delayMs);
    if (typeof id === 'object') (id as { unref?(): void }).unref?.();
    return { clear: () => clearTimeout(id as number) };
  },
};

/** Calls `callback` again and again, `intervalMs` after it returned; the result ends that. */
export function repeat(clock: Clock, intervalMs: number, callback: () => void): () => void {
  let timer = clock.setTimer(tick, intervalMs);
  let isEnded = false;
  function tick(): void {
    callback();
    if (!isEnded) timer = clock.setTimer(tick, intervalMs);
  }
  return () => {
    isEnded = true;
    timer.clear();
  };
}
