import { driveGroup } from './engine/drive.js';
import { Execution, type RunEnd, type RunOptions } from './engine/execution.js';
import { ItemIterator } from './engine/item-iterator.js';
import type { Outlet } from './engine/outlet.js';
import type { BurstSink, SinkSpec } from './engine/plan.js';
import { readableOf } from './engine/readable.js';
import { SINKS } from './engine/sink-kinds.js';
import { CHAIN, type Chain } from './engine/spec.js';
import type { SinkKind } from './engine/step.js';
import { checkCount, checkFunction, wrongType } from './internal/arguments.js';
import { Run } from './run.js';
import { attach, type Sinkable } from './sinks/attach.js';
import type { Delivery } from './sinks/delivery.js';
import type { WritableOptions } from './sinks/writable.js';
import type { UseMapAsyncForPromises } from './stages/not-promise.js';
import { planRun, startRun } from './start-run.js';

/** An array or a typed array that `collectInto()` can fill. */
export interface Fillable<T> {
  readonly length: number;
  [index: number]: T;
}

/**
 * The verbs that a pipeline ends with: each starts a run.
 *
 * @typeParam T - The items.
 */
export abstract class Terminals<T> implements AsyncIterable<T> {
  /** @internal */
  abstract get chain(): Chain;

  /**
   * Runs the pipeline into a sink and gives a handle on the run.
   *
   * @param sink - A function that is called with each item and its index (a promise it returns is awaited before the
   *   next item), a `WritableStream`, or a {@link Sink}.
   * @param options - See {@link RunOptions}.
   * @returns The run; it begins soon, after the caller's own code. Its `finished` rejects where it fails: await it, or it is
   *   an unhandled rejection.
   * @throws PipelineError `ERR_CORE_IN_FLIGHT` when more than `maxInFlight` items could be inside.
   * @remarks Elsewhere: RxJS `subscribe`; Rust `tokio::spawn`; Akka `run`; Node `pipeline`.
   *
   * @example A run that can be drained and inspected
   * ```ts
   * const seen: number[] = [];
   * const run = from([1, 2, 3]).run((n) => void seen.push(n));
   * assert.equal((await run.finished).emitted, 3);
   * assert.deepEqual(seen, [1, 2, 3]);
   * ```
   */
  run(sink: Sinkable<T>, options: RunOptions = {}): Run {
    return new Run(this.#start(sink, {}, options, 'run()'), options);
  }

  /**
   * Names the sink that the items go to, for {@link runAll} to start it with others as one run.
   *
   * @param sink - As for `run()`.
   * @param options - `name`, by which errors, plans and figures tell the sinks of a run apart (default: `'forEach'` or
   *   `'writable'`; a {@link Sink} has its own); where the sink is a `WritableStream`, also `preventClose`, `preventAbort`,
   *   `highWaterMark` with `size`.
   * @returns The pipeline with its sink; nothing runs yet.
   * @remarks Elsewhere: RxJS –; Rust –; Akka `to`; Node –.
   *
   * @example Two sinks of one run
   * ```ts
   * const [all, some] = from([1, 2, 3]).broadcast(2);
   * const seen: number[] = [];
   * const even = some.pipeThrough(filter((n) => n % 2 === 0));
   * const run = runAll(
   *   all.into((n) => void seen.push(n), { name: 'all' }),
   *   even.into((n) => void seen.push(n * 10), { name: 'ten times the even' }),
   * );
   * assert.match(String(run.explain()), /ten times the even/);
   * await run.finished;
   * assert.deepEqual(seen.sort((a, b) => a - b), [1, 2, 3, 20]);
   * ```
   */
  into(sink: Sinkable<T>, options: WritableOptions<NoInfer<T>> = {}): Delivery {
    return { [CHAIN]: { ...this.chain, sink: attach('into()', sink, options) } };
  }

  /**
   * Writes the items to a writable stream.
   *
   * @param writable - Is closed when the pipeline ends and aborted when it fails.
   * @param options - `name` (default `'writable'`), `preventClose`, `preventAbort`, `highWaterMark` (default: 64 items, or 1
   *   batch) with `size`, and those of a run.
   * @returns Resolves when the stream has been closed.
   * @remarks Elsewhere: RxJS `subscribe`; Rust `forward`; Akka `runWith`; Node `pipeline`.
   *
   * @example Into a stream of the platform
   * ```ts
   * const seen: number[] = [];
   * await from([1, 2]).pipeTo(new WritableStream({ write: (n) => void seen.push(n) }));
   * assert.deepEqual(seen, [1, 2]);
   * ```
   */
  async pipeTo(writable: WritableStream<T>, options: RunOptions & WritableOptions<NoInfer<T>> = {}): Promise<void> {
    const { name, preventClose, preventAbort, highWaterMark, size, ...runOptions } = options;
    if (!(writable instanceof WritableStream)) throw wrongType('pipeTo()', 'writable', writable, 'a WritableStream');
    const called = name === undefined ? {} : { name };
    const mark = { ...(highWaterMark !== undefined && { highWaterMark }), ...(size !== undefined && { size }) };
    const how = { ...called, preventClose, preventAbort, ...mark };
    await settled(this.#start(writable, how, runOptions, 'pipeTo()').outlet);
  }

  /**
   * Gives the items as a native stream, which fails with a {@link StageError}.
   *
   * @param options - `highWaterMark`: how many items the stream reads ahead (default 0), and those of a run.
   * @returns A stream; nothing is read before it is.
   * @remarks Elsewhere: RxJS –; Rust `into_async_read`; Akka `Sink.asPublisher`; Node `Readable.toWeb`.
   *
   * @example The body of a response
   * ```ts
   * const body = from(['a', 'b']).toReadableStream().pipeThrough(new TextEncoderStream());
   * assert.equal(await new Response(body).text(), 'ab');
   * ```
   */
  toReadableStream(options: RunOptions & { readonly highWaterMark?: number } = {}): ReadableStream<T> {
    const { highWaterMark = 0, ...runOptions } = options;
    checkCount('toReadableStream()', 'highWaterMark', highWaterMark, 0);
    const sink: BurstSink = { type: 'burst', name: 'readable', highWaterMark: 0, inService: 1 + highWaterMark };
    const outlet = this.#execute(sink, runOptions, 'toReadableStream()');
    return readableOf(outlet, highWaterMark, (reason) => reason) as ReadableStream<T>;
  }

  /** Iterates over the items: `values()` without options. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.values();
  }

  /**
   * Iterates over the items, with the options of a run: each is read when it is asked for; leaving the loop closes the
   * source.
   *
   * @param options - See {@link RunOptions}.
   * @returns An iterator; nothing is read before its first `next()`.
   * @remarks Elsewhere: RxJS –; Rust `next`; Akka `Sink.queue`; Node `iterator`.
   *
   * @example The items until one is above 1
   * ```ts
   * const seen: number[] = [];
   * for await (const n of range(0, Infinity).values({ fuse: false })) {
   *   if (n > 1) break;
   *   seen.push(n);
   * }
   * assert.deepEqual(seen, [0, 1]);
   * ```
   */
  values(options: RunOptions = {}): AsyncIterableIterator<T> {
    const sink: BurstSink = { type: 'burst', name: 'iteration', highWaterMark: 0, inService: 1 };
    return new ItemIterator(this.#execute(sink, options, 'values()')) as unknown as AsyncIterableIterator<T>;
  }

  /**
   * Collects the items into an array.
   *
   * @param options - See {@link RunOptions}.
   * @returns Resolves with the array.
   * @remarks Elsewhere: RxJS `toArray`; Rust `collect`; Akka `Sink.seq`; Node `toArray`.
   *
   * @example All items
   * ```ts
   * assert.deepEqual(await range(0, 3).toArray(), [0, 1, 2]);
   * ```
   */
  toArray(options?: RunOptions): Promise<T[]> {
    return this.#terminal<T[]>('toArray', SINKS.collect, [], undefined, options);
  }

  /**
   * Collects the items into an array or a typed array that is there already, from its beginning.
   *
   * @param target - Has room for all items.
   * @param options - See {@link RunOptions}.
   * @returns Resolves with how many items there were.
   * @remarks Elsewhere: RxJS –; Rust `extend`; Akka –; Node –.
   *
   * @example Numbers in a typed array
   * ```ts
   * const target = new Float64Array(8);
   * assert.equal(await range(0, 3).collectInto(target), 3);
   * assert.deepEqual([...target.subarray(0, 3)], [0, 1, 2]);
   * ```
   */
  async collectInto(target: Fillable<T>, options?: RunOptions): Promise<number> {
    if (typeof target?.length !== 'number')
      throw wrongType('collectInto()', 'target', target, 'an array or a typed array');
    return this.#terminal<number>('collectInto', SINKS.collectInto, [target.length], target, options);
  }

  /**
   * Folds the items into one value.
   *
   * @param fn - Is given the value so far, the item and its index; a promise it returns is awaited.
   * @param seed - The value before the first item.
   * @param options - See {@link RunOptions}.
   * @returns Resolves with the last value, or `seed` where there is no item.
   * @remarks Elsewhere: RxJS `reduce`; Rust `fold`; Akka `Sink.fold`; Node `reduce`.
   *
   * @example A sum
   * ```ts
   * assert.equal(await from([1, 2, 3]).reduce((sum, n) => sum + n, 0), 6);
   * ```
   */
  async reduce<A>(
    fn: (value: A, item: T, index: number) => A | PromiseLike<A>,
    seed: A,
    options?: RunOptions,
  ): Promise<A> {
    checkFunction('reduce()', 'fn', fn);
    // biome-ignore lint/complexity/noArguments: a seed may be undefined, but not left out, as that of an array may.
    if (arguments.length < 2) throw wrongType('reduce()', 'seed', seed, 'given: the value before the first item');
    return this.#terminal<A>('reduce', SINKS.reduce, [fn], seed, options);
  }

  /**
   * Calls a function with each item.
   *
   * @param fn - Is given the item and its index; a promise it returns is awaited before the next item.
   * @param options - See {@link RunOptions}.
   * @returns Resolves when it has been called with the last item.
   * @remarks Elsewhere: RxJS `forEach`; Rust `for_each`; Akka `Sink.foreach`, `Sink.foreachAsync`; Node `forEach`.
   *
   * @example One after the other
   * ```ts
   * const seen: string[] = [];
   * await from(['a', 'b']).forEach((letter, index) => void seen.push(`${index}${letter}`));
   * assert.deepEqual(seen, ['0a', '1b']);
   * ```
   */
  async forEach(fn: (item: T, index: number) => unknown, options?: RunOptions): Promise<void> {
    checkFunction('forEach()', 'fn', fn);
    await this.#terminal<unknown>('forEach', SINKS.forEach, [fn], undefined, options);
  }

  /**
   * Counts the items.
   *
   * @param options - See {@link RunOptions}.
   * @returns Resolves with how many there were.
   * @remarks Elsewhere: RxJS `count`; Rust `count`; Akka `Sink.count`; Node –.
   *
   * @example How many
   * ```ts
   * assert.equal(await from('a b c'.split(' ')).count(), 3);
   * ```
   */
  count(options?: RunOptions): Promise<number> {
    return this.#terminal<number>('count', SINKS.count, [], undefined, options);
  }

  /**
   * Gives the first item and closes the source; `undefined` where there is none.
   *
   * @param options - See {@link RunOptions}.
   * @returns Resolves with the item.
   * @remarks Elsewhere: RxJS `firstValueFrom`; Rust `next`; Akka `Sink.headOption`; Node –.
   *
   * @example Of endlessly many
   * ```ts
   * assert.equal(await range(5, Infinity).first(), 5);
   * ```
   */
  first(options?: RunOptions): Promise<T | undefined> {
    return this.#terminal<T | undefined>('first', SINKS.first, [], undefined, options);
  }

  /**
   * Gives the last item; `undefined` where there is none.
   *
   * @param options - See {@link RunOptions}.
   * @returns Resolves with the item.
   * @remarks Elsewhere: RxJS `lastValueFrom`; Rust `last`; Akka `Sink.lastOption`; Node –.
   *
   * @example The last
   * ```ts
   * assert.equal(await from([1, 2, 3]).last(), 3);
   * ```
   */
  last(options?: RunOptions): Promise<T | undefined> {
    return this.#terminal<T | undefined>('last', SINKS.last, [], undefined, options);
  }

  /**
   * Says whether the predicate is true for some item; reads no further than that item.
   *
   * @param predicate - Is given the item and its index, from 0.
   * @param options - See {@link RunOptions}.
   * @returns Resolves with `false` where there is no item.
   * @remarks Elsewhere: RxJS –; Rust `any`; Akka `Sink.exists`; Node `some`.
   *
   * @example Is one above 2?
   * ```ts
   * assert.equal(await range(0, Infinity).some((n) => n > 2), true);
   * ```
   */
  async some(
    predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
    options?: RunOptions,
  ): Promise<boolean> {
    checkFunction('some()', 'predicate', predicate);
    return this.#terminal<boolean>('some', SINKS.some, [predicate], undefined, options);
  }

  /**
   * Says whether the predicate is true for every item; reads no further than the first for which it is not.
   *
   * @param predicate - Is given the item and its index, from 0.
   * @param options - See {@link RunOptions}.
   * @returns Resolves with `true` where there is no item.
   * @remarks Elsewhere: RxJS `every`; Rust `all`; Akka `Sink.forall`; Node `every`.
   *
   * @example Are all below 2?
   * ```ts
   * assert.equal(await range(0, Infinity).every((n) => n < 2), false);
   * ```
   */
  async every(
    predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
    options?: RunOptions,
  ): Promise<boolean> {
    checkFunction('every()', 'predicate', predicate);
    return this.#terminal<boolean>('every', SINKS.every, [predicate], undefined, options);
  }

  /**
   * Gives the first item for which the predicate is true, and reads no further; `undefined` where there is none.
   *
   * @param predicate - Is given the item and its index, from 0.
   * @param options - See {@link RunOptions}.
   * @returns Resolves with the item.
   * @remarks Elsewhere: RxJS `find`; Rust `find`; Akka –; Node `find`.
   *
   * @example The first above 2
   * ```ts
   * assert.equal(await range(0, Infinity).find((n) => n > 2), 3);
   * ```
   */
  async find(
    predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
    options?: RunOptions,
  ): Promise<T | undefined> {
    checkFunction('find()', 'predicate', predicate);
    return this.#terminal<T | undefined>('find', SINKS.find, [predicate], undefined, options);
  }

  #start(sink: Sinkable<T>, how: WritableOptions, options: RunOptions, where: string): Execution {
    return startRun(where, [{ ...this.chain, sink: attach(where, sink, how) }], options);
  }

  async #terminal<R>(
    name: string,
    kind: SinkKind,
    params: readonly unknown[],
    seed: unknown,
    options: RunOptions = {},
  ): Promise<R> {
    const outlet = this.#execute({ type: 'fused', name, kind, params, seed }, options, `${name}()`);
    outlet.start(() => driveGroup(outlet));
    await settled(outlet);
    return outlet.group?.result() as R;
  }

  #execute(sink: SinkSpec, options: RunOptions, where: string): Outlet<RunEnd> {
    // What they give is gone when the process is.
    if (options.checkpoint !== undefined) throw wrongType(where, 'checkpoint', options.checkpoint, CHECKPOINTED);
    return new Execution(planRun(where, [{ ...this.chain, sink }], options), options).outlet;
  }
}

const CHECKPOINTED = 'left out: checkpoints are for run(), runAll() and pipeTo()';

async function settled(outlet: Outlet<RunEnd>): Promise<void> {
  const { failure } = await outlet.over();
  if (failure !== undefined) throw failure.reason;
}
