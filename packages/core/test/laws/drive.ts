import {
  type DrainReceipt,
  type Pipeline,
  type Run,
  type RunOptions,
  type RunSummary,
  runAll,
  type Sinkable,
} from '@millrace/core';
import { built } from './build.js';
import type { Case, SinkCase, Value } from './case.js';
import type { World } from './world.js';

/** What became of a run. */
export interface Ended {
  readonly summary: RunSummary;
  /** What it ended with; `undefined`: well. */
  readonly error: unknown;
  /** Whether the end of the case (an abort, a drain, a cancel) came before that of the run. */
  readonly wasEnded: boolean;
  /** The bound that the run was planned with, and what it could not count. */
  readonly bound: number;
  readonly notCounted: readonly string[];
  readonly run: Run | undefined;
  /** How many listeners the signal of the run had at the end. */
  readonly listeners: number;
  /** What `drain()` resolved with, a moment later. */
  receipt(): DrainReceipt | undefined;
}

export const REASON: Error = new Error('the case ends here');

/** Runs a case to its end. */
export async function driven(made: Case, world: World, options: RunOptions = {}): Promise<Ended> {
  const { signal, abort, listeners } = signalOf();
  let ended: ((end: { summary: RunSummary; error: unknown }) => void) | undefined;
  const over = new Promise<{ summary: RunSummary; error: unknown }>((resolve) => {
    ended = resolve;
  });
  let bound = 0;
  let notCounted: readonly string[] = [];
  const observer: NonNullable<RunOptions['observer']> = {
    started({ plan }) {
      bound = plan.bound;
      notCounted = plan.notCounted;
    },
    ended: (summary, error) => ended?.({ summary, error }),
    warned: () => {},
    ...(made.isObserved ? { burst: () => {}, served: () => {}, failed: () => {} } : {}),
  };
  const all: RunOptions = {
    fuse: made.fuse,
    generate: made.generate,
    context: made.context,
    clock: world.clock,
    observer,
    ...(made.ending.kind === 'signal' ? { signal } : {}),
    ...options,
  };
  const pipelines = built(made, world);
  let wasEnded = false;
  let isOver = false;
  let run: Run | undefined;
  let receipt: DrainReceipt | undefined;
  const note = (drained: DrainReceipt): void => {
    receipt = drained;
  };
  const end = (): void => {
    if (isOver || wasEnded) return;
    wasEnded = world.isDisturbed = true;
    if (made.ending.kind === 'signal') abort(REASON);
    else if (made.ending.kind === 'abort') run?.abort(REASON);
    else if (made.ending.kind === 'drain') run?.drain({ deadlineMs: 100_000 }).then(note, () => {});
  };
  arrange(made, world, end);
  const [only] = made.sinks;
  if (only?.sink.kind === 'values' || only?.sink.kind === 'readable') {
    const most = made.ending.kind === 'cancel' ? (made.ending.at ?? 3) : undefined;
    await pulled(pipelines[0] as Pipeline<Value>, only.sink, all, world, most);
  } else {
    const sinks = made.sinks.map(({ sink }) => sinkOf(sink, world));
    run =
      pipelines.length === 1
        ? (pipelines[0] as Pipeline<Value>).run(sinks[0] as Sinkable<Value>, all)
        : runAll(...pipelines.map((pipeline, at) => pipeline.into(sinks[at] as Sinkable<Value>)), all);
    run.finished.catch(() => {});
    world.callsBefore = world.calls;
  }
  const { summary, error } = await over;
  isOver = true;
  return { summary, error, wasEnded, bound, notCounted, run, listeners: listeners(), receipt: () => receipt };
}

/** Lets the end of the case come at its call, or some time. */
function arrange({ ending }: Case, world: World, end: () => void): void {
  if (ending.kind === 'well' || ending.kind === 'cancel') return;
  if (ending.at === undefined) world.schedule.sometime(ending.kind, end);
  else if (ending.at === 0 && ending.kind === 'signal') end();
  else {
    world.onCall = (call) => {
      if (call === ending.at) end();
    };
  }
}

/** A signal that counts its listeners. */
function signalOf(): { signal: AbortSignal; abort(reason: unknown): void; listeners(): number } {
  const controller = new AbortController();
  const { signal } = controller;
  const heard = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
  Object.assign(signal, {
    addEventListener: (...args: unknown[]) => {
      heard.add(args[1]);
      add(...args);
    },
    removeEventListener: (...args: unknown[]) => {
      heard.delete(args[1]);
      remove(...args);
    },
  });
  return {
    signal,
    abort: (reason) => controller.abort(reason),
    listeners: () => (signal.aborted ? 0 : heard.size),
  };
}

/** Makes a sink; what it is done with is noted in the world. */
function sinkOf(made: SinkCase, world: World): Sinkable<Value> {
  const seen: Value[] = [];
  world.seen.push(seen);
  const take = (items: readonly Value[]): void | Promise<void> =>
    world.call(made, () => {
      for (const value of items) {
        seen.push(value);
        world.leave(value);
      }
    });
  if (made.kind === 'function') return (value) => take([value]);
  if (made.kind === 'sink') {
    return {
      ...(made.mark === undefined ? {} : { highWaterMark: made.mark }),
      maxBurst: made.burst,
      open: () => writing<readonly Value[]>(made, take, world),
    };
  }
  return new WritableStream<Value>(writing<Value>(made, (value) => take([value]), world));
}

interface Writing<W> {
  write(what: W): void | Promise<void>;
  close(): void;
  abort(): void;
}

function writing<W>(made: SinkCase, take: (what: W) => void | Promise<void>, world: World): Writing<W> {
  const life = world.life(made.name ?? '', 'sink');
  const write = (what: W): void | Promise<void> => {
    if (life.closes + life.aborts > 0) life.problem = 'it was written to when it was over';
    try {
      const written = take(what);
      // A native stream that failed to write is over: nobody closes it.
      if (made.kind === 'writable' && written instanceof Promise) written.catch(() => (life.isOver = true));
      return written;
    } catch (error) {
      life.isOver = made.kind === 'writable';
      throw error;
    }
  };
  return { write, close: () => void life.closes++, abort: () => void life.aborts++ };
}

/** Lets what would go on by itself go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await undefined;
}

/** Reads a pipeline as an iteration, or as a native stream, and leaves it after `most` items. */
async function pulled(
  pipeline: Pipeline<Value>,
  sink: SinkCase,
  options: RunOptions,
  world: World,
  most: number | undefined,
): Promise<void> {
  const seen: Value[] = [];
  world.seen.push(seen);
  const items: AsyncIterable<Value> =
    sink.kind === 'values'
      ? pipeline.values(options)
      : (pipeline.toReadableStream({ ...options, highWaterMark: sink.mark ?? 0 }) as unknown as AsyncIterable<Value>);
  const iterator = items[Symbol.asyncIterator]();
  if ((sink.mark ?? 0) === 0 || sink.kind === 'values') {
    await settled();
    world.callsBefore = world.calls;
  }
  const leave = async (): Promise<void> => {
    world.isDisturbed = true;
    await iterator.return?.();
  };
  // What it ends with is told by the observer; here it must not be lost.
  const read = async (): Promise<void> => {
    for (;;) {
      if (seen.length === most) return leave();
      const next = await iterator.next();
      if (next.done === true) return;
      seen.push(next.value);
      world.leave(next.value);
      await world.call(sink, () => {});
    }
  };
  await read().catch(() => {});
}
