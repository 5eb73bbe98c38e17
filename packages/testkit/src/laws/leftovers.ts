/** Counts what is there and should be gone by and by. */
export interface Leftovers {
  count(): number;
  stop(): void;
}

/** Counts the timers of the platform that were set, and have neither fired nor been cleared. */
export function watchTimers(): Leftovers {
  const set = new Set<unknown>();
  const { setTimeout: setOnce, setInterval: setAgain, clearTimeout, clearInterval } = globalThis;
  const clearing =
    (clear: (id: never) => void) =>
    (id: unknown): void => {
      set.delete(id);
      clear(id as never);
    };
  const setting = {
    setTimeout: (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const id = setOnce(() => {
        set.delete(id);
        callback(...args);
      }, ms);
      set.add(id);
      return id;
    },
    setInterval: (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const id = setAgain(callback, ms, ...args);
      set.add(id);
      return id;
    },
    clearTimeout: clearing(clearTimeout),
    clearInterval: clearing(clearInterval),
  };
  Object.assign(globalThis, setting);
  return {
    count: () => set.size,
    stop: () =>
      void Object.assign(globalThis, { setTimeout: setOnce, setInterval: setAgain, clearTimeout, clearInterval }),
  };
}

/** Counts the listeners on that signal, of those that have not been aborted, which has the most. */
export function watchListeners(): Leftovers {
  const heard = new Map<AbortSignal, Set<unknown>>();
  const { prototype } = AbortSignal;
  const { addEventListener, removeEventListener } = prototype;
  const own = Object.getOwnPropertyDescriptors(prototype);
  prototype.addEventListener = function (this: AbortSignal, type: string, ...rest: [never, never?]): void {
    heard.set(this, (heard.get(this) ?? new Set()).add(rest[0]));
    addEventListener.call(this, type, ...rest);
  };
  prototype.removeEventListener = function (this: AbortSignal, type: string, ...rest: [never, never?]): void {
    heard.get(this)?.delete(rest[0]);
    removeEventListener.call(this, type, ...rest);
  };
  return {
    count: () => Math.max(0, ...[...heard].map(([signal, listeners]) => (signal.aborted ? 0 : listeners.size))),
    stop: () => {
      for (const name of ['addEventListener', 'removeEventListener'] as const) {
        const before = own[name];
        if (before === undefined) Reflect.deleteProperty(prototype, name);
        else Object.defineProperty(prototype, name, before);
      }
    },
  };
}

interface NodeProcess {
  on(event: 'worker', listener: (worker: NodeWorker) => void): void;
  off(event: 'worker', listener: (worker: NodeWorker) => void): void;
  getActiveResourcesInfo(): string[];
}

interface NodeWorker {
  once(event: 'exit', listener: () => void): void;
}

/** What comes and goes by itself: requests under way, turns, and timers, which have a law of their own. */
const PASSING = /Req|Timeout|Immediate/;

/** Counts the workers that were started and have not ended, and what else keeps the process alive. */
export function watchHandles(): Leftovers | undefined {
  const { process } = globalThis as unknown as { process?: Partial<NodeProcess> };
  if (typeof process?.getActiveResourcesInfo !== 'function') return undefined;
  const node = process as NodeProcess;
  let workers = 0;
  const started = (worker: NodeWorker): void => {
    workers++;
    worker.once('exit', () => workers--);
  };
  node.on('worker', started);
  return {
    count: () => workers + node.getActiveResourcesInfo().filter((name) => !PASSING.test(name)).length,
    stop: () => node.off('worker', started),
  };
}
