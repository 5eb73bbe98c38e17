import type { Clock } from '@millrace/core';

/** Time that goes on only when it is told to. */
export interface VirtualClock extends Clock {
  /** Lets `ms` pass; what is due meanwhile is called at its time. */
  advance(ms: number): void;
  /** How many timers are set. */
  readonly timers: number;
}

/** Makes a clock that stands at 0. */
export function virtualClock(): VirtualClock {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    setTimer(callback, delayMs) {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return { clear: () => void timers.delete(timer) };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.callback();
      }
      now = end;
    },
    get timers() {
      return timers.size;
    },
  };
}

/** A promise, and what resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Resolves when the engine has done all that it can do at this moment. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
