import type { StageContext } from '../engine/context.js';
import { readerSource } from '../engine/reader-source.js';
import type { SourceReader } from '../engine/spec.js';
import { PipelineError } from '../errors.js';
import { checkCount, checkFunction, checkOptions, outOfRange, wrongType } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';
import type { Overflow } from '../stages/flow/buffer.js';

/** What listeners are added to and removed from as in Node: an `EventEmitter`. */
export interface Emitter {
  on(type: string | symbol, listener: (...args: unknown[]) => void): unknown;
  off(type: string | symbol, listener: (...args: unknown[]) => void): unknown;
}

/**
 * Which events are read, and how many may wait.
 *
 * @typeParam A - What listeners are called with.
 * @typeParam T - The items.
 */
export interface FromEventsOptions<A extends readonly unknown[] = readonly unknown[], T = unknown> {
  /** What the source is called in errors, plans and figures. Default: `'events'`. */
  readonly name?: string;
  /** How many events may wait to be read, 1 or more. Default: 1,024. */
  readonly highWaterMark?: number;
  /**
   * What becomes of an event that finds so many waiting; a target cannot be told to wait. `'fail'` fails the pipeline
   * behind those that wait; `'drop-oldest'` and `'drop-newest'` drop one, counted as dropped. Default: `'fail'`.
   */
  readonly overflow?: Exclude<Overflow, 'block'>;
  /** What ends the stream, behind the events that wait: events of the target, or a signal that aborts. Default: nothing. */
  readonly until?: string | readonly string[] | AbortSignal;
  /**
   * The events that fail the pipeline, behind those that wait, with their first argument as the cause; of an `ErrorEvent`,
   * its error. Default: `'error'` of an emitter, where that is not read itself; none of an `EventTarget`.
   */
  readonly failOn?: string | readonly string[];
  /** Makes the item of what a listener is called with, while it is called. Default: the first argument. */
  readonly select?: (...args: A) => T;
}

/**
 * Begins a pipeline with the events of an `EventTarget` or of an `EventEmitter` of Node.
 *
 * A run listens from when it is made until it ends, and events that come meanwhile wait to be read; then all its listeners
 * are removed. Each run has listeners of its own.
 *
 * Contract
 * - Order: that in which the events came.
 * - Holds: at most `highWaterMark` events that wait; they are not inside the run before they are asked for.
 * - Backpressure: none, as a target cannot be told to wait: `overflow` says what happens instead.
 * - Failure: `failOn`, a full `overflow: 'fail'` (`ERR_CORE_OVERFLOW`), and what `select` throws, fail the pipeline.
 * - Cancel: removes the listeners; events that wait are counted as abandoned.
 *
 * @typeParam T - The items.
 * @param target - What has the events.
 * @param type - The events to read.
 * @param options - `highWaterMark` (default 1,024), `overflow` (default `'fail'`), `until` (default: never), `failOn` (default:
 *   `'error'` of an emitter), `select` (default: the first argument), `name` (default `'events'`).
 * @returns A pipeline of the events.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS `fromEvent`; Rust –; Akka `Source.queue`; Node `events.on`.
 *
 * @example The messages of a port, until it is closed
 * ```ts
 * const port = new EventTarget();
 * const messages = fromEvents<MessageEvent<number>>(port, 'message', { until: 'close' });
 * const data = messages.pipeThrough(map((event) => event.data)).toArray();
 * for (const n of [1, 2]) port.dispatchEvent(new MessageEvent('message', { data: n }));
 * port.dispatchEvent(new Event('close'));
 * assert.deepEqual(await data, [1, 2]);
 * ```
 *
 * @example The newest of many, with two arguments each
 * ```ts
 * import { EventEmitter } from 'node:events';
 * const sensor = new EventEmitter();
 * const select = (celsius: number, at: string): string => `${at} ${celsius}`;
 * const readings = fromEvents(sensor, 'reading', { highWaterMark: 1, overflow: 'drop-oldest', select });
 * const first = readings.first();
 * sensor.emit('reading', 21, 'roof');
 * sensor.emit('reading', 22, 'roof');
 * assert.equal(await first, 'roof 22');
 * assert.equal(sensor.listenerCount('reading'), 0);
 * ```
 */
export function fromEvents<A extends readonly unknown[], T>(
  target: EventTarget | Emitter,
  type: string | symbol,
  options: FromEventsOptions<A, T> & { readonly select: (...args: A) => T },
): Pipeline<T>;
export function fromEvents<T = Event>(
  target: EventTarget,
  type: string,
  options?: FromEventsOptions<readonly [T], T>,
): Pipeline<T>;
export function fromEvents<T = unknown>(
  target: Emitter,
  type: string | symbol,
  options?: FromEventsOptions<readonly unknown[], T>,
): Pipeline<T>;
export function fromEvents(
  target: EventTarget | Emitter,
  type: string | symbol,
  options: FromEventsOptions = {},
): Pipeline<unknown> {
  const events = checked(target, type, options);
  const { name = 'events' } = options;
  return new Pipeline(readerSource(name, (context) => new EventReader(context, events)));
}

const NAMES = ['name', 'highWaterMark', 'overflow', 'until', 'failOn', 'select'];
const OVERFLOWS = ['drop-oldest', 'drop-newest', 'fail'];

/** Calls one function for events of these types, from `add` to `remove`. */
interface Listening {
  readonly types: ReadonlyArray<string | symbol>;
  readonly listener: (...args: readonly unknown[]) => void;
}

interface Events {
  readonly type: string | symbol;
  readonly highWaterMark: number;
  readonly overflow: Exclude<Overflow, 'block'>;
  readonly until: ReadonlyArray<string | symbol>;
  readonly signal: AbortSignal | undefined;
  readonly failOn: ReadonlyArray<string | symbol>;
  readonly select: (...args: readonly unknown[]) => unknown;
  add(listening: Listening): void;
  remove(listening: Listening): void;
}

function checked(target: EventTarget | Emitter, type: string | symbol, options: FromEventsOptions): Events {
  checkOptions('fromEvents()', options, NAMES);
  const { highWaterMark = 1024, overflow = 'fail', until = [], select = first } = options;
  const isTarget = has(target, 'addEventListener', 'removeEventListener');
  if (!isTarget && !has(target, 'on', 'off')) {
    throw wrongType('fromEvents()', 'target', target, 'an EventTarget or an EventEmitter');
  }
  if ((typeof type !== 'string' && typeof type !== 'symbol') || type === '') {
    throw wrongType('fromEvents()', 'type', type, 'the name of an event');
  }
  checkCount('fromEvents()', 'highWaterMark', highWaterMark, 1);
  if (!OVERFLOWS.includes(overflow)) {
    const mustBe = `${OVERFLOWS.map((each) => `"${each}"`).join(', ')}: the source cannot be told to wait`;
    throw outOfRange('fromEvents()', 'overflow', overflow, mustBe);
  }
  checkFunction('fromEvents()', 'select', select);
  const signal = until instanceof AbortSignal ? until : undefined;
  const ends = signal === undefined ? typesOf('until', until) : [];
  const fails = isTarget || type === 'error' || ends.includes('error') ? [] : ['error'];
  return {
    type,
    highWaterMark,
    overflow,
    until: ends,
    signal,
    failOn: typesOf('failOn', options.failOn ?? fails),
    select: select as Events['select'],
    add({ types, listener }) {
      for (const each of types) {
        if (isTarget) (target as EventTarget).addEventListener(each as string, listener);
        else (target as Emitter).on(each, listener);
      }
    },
    remove({ types, listener }) {
      for (const each of types) {
        if (isTarget) (target as EventTarget).removeEventListener(each as string, listener);
        else (target as Emitter).off(each, listener);
      }
    },
  };
}

const first = (...args: readonly unknown[]): unknown => args[0];

function has(target: unknown, ...names: readonly string[]): boolean {
  if (typeof target !== 'object' || target === null) return false;
  return names.every((name) => typeof (target as Record<string, unknown>)[name] === 'function');
}

function typesOf(what: string, types: unknown): readonly string[] {
  const list = typeof types === 'string' ? [types] : types;
  if (Array.isArray(list) && list.every((each) => typeof each === 'string' && each !== '')) return list;
  const mustBe = `the name of an event, or an array of them${what === 'until' ? ', or an AbortSignal' : ''}`;
  throw wrongType('fromEvents()', what, types, mustBe);
}

/** Listens for one run, and keeps what comes until it is read. */
class EventReader implements SourceReader<unknown> {
  readonly #context: StageContext;
  readonly #events: Events;
  readonly #listenings: readonly Listening[];
  #waiting: unknown[] = [];
  /** What the stream fails with behind what waits. */
  #problem: { readonly thrown: unknown } | undefined;
  #isOver = false;
  #settle: ((items: readonly unknown[] | undefined) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(context: StageContext, events: Events) {
    this.#context = context;
    this.#events = events;
    this.#listenings = [
      { types: events.failOn, listener: (cause) => this.#end({ thrown: causeOf(cause) }) },
      { types: events.until, listener: () => this.#end() },
      { types: [events.type], listener: (...args) => this.#take(args) },
    ];
    if (events.signal?.aborted === true) {
      this.#isOver = true;
      return;
    }
    for (const listening of this.#listenings) events.add(listening);
    events.signal?.addEventListener('abort', this.#onAbort);
  }

  read(max: number): readonly unknown[] | undefined | Promise<readonly unknown[] | undefined> {
    if (this.#waiting.length > 0) return this.#waiting.splice(0, max);
    if (this.#problem !== undefined) throw this.#problem.thrown;
    if (this.#isOver) return undefined;
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
  }

  close(): void {
    this.#end();
    this.#lose(this.#waiting.length, 'abandoned');
    this.#waiting = [];
  }

  drain(): void {
    this.#end();
  }

  readonly #onAbort = (): void => this.#end();

  #take(args: readonly unknown[]): void {
    // A target that is in the middle of an event calls listeners that were removed meanwhile.
    if (this.#isOver) return;
    let item: unknown;
    try {
      item = this.#events.select(...args);
    } catch (thrown) {
      return this.#end({ thrown });
    }
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle !== undefined) return settle([item]);
    if (this.#waiting.length >= this.#events.highWaterMark && !this.#makeRoom()) return;
    this.#waiting.push(item);
  }

  /** Says whether the event that came can wait. */
  #makeRoom(): boolean {
    const { overflow, highWaterMark } = this.#events;
    if (overflow === 'fail') {
      const message = `Cannot keep the event: ${highWaterMark} wait already (must be fewer, or another overflow policy)`;
      this.#end({ thrown: new PipelineError('ERR_CORE_OVERFLOW', message) });
      return false;
    }
    this.#lose(1, 'dropped');
    if (overflow === 'drop-oldest') this.#waiting.shift();
    return overflow === 'drop-oldest';
  }

  /** Counts events that came and go no further. */
  #lose(events: number, as: 'dropped' | 'abandoned'): void {
    this.#context.counts.made += events;
    this.#context.counts[as] += events;
  }

  #end(problem?: { readonly thrown: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#problem = problem;
    for (const listening of this.#listenings) this.#events.remove(listening);
    this.#events.signal?.removeEventListener('abort', this.#onAbort);
    if (problem === undefined) this.#settle?.(undefined);
    else if (this.#settle !== undefined) this.#fail?.(problem.thrown);
    this.#settle = undefined;
  }
}

/** An `ErrorEvent` has the error; other events, and what emitters give, are all there is. */
function causeOf(given: unknown): unknown {
  if (typeof Event !== 'function' || !(given instanceof Event)) return given;
  return (given as Event & { readonly error?: unknown }).error ?? given;
}
