import { driveGroup } from './engine/drive.js';
import { Execution, type RunEnd, type RunOptions } from './engine/execution.js';
import { Explanation } from './engine/explain.js';
import { ItemIterator } from './engine/item-iterator.js';
import type { Outlet } from './engine/outlet.js';
import type { BurstSink, Plan, SinkSpec } from './engine/plan.js';
import { readableOf } from './engine/readable.js';
import { SINKS } from './engine/sink-kinds.js';
import { CHAIN, type Chain, type SourceSpec, type StageSpec } from './engine/spec.js';
import { isStage, SPECS, type Stage } from './engine/stage.js';
import type { SinkKind } from './engine/step.js';
import { type ForeignPair, Through } from './engine/through.js';
import { Topology } from './engine/topology.js';
import { checkCount, checkFunction, checkOptions, refuseOptions, wrongType } from './internal/arguments.js';
import { Run } from './run.js';
import { attach, type Sinkable } from './sinks/attach.js';
import type { Delivery } from './sinks/delivery.js';
import type { WritableOptions } from './sinks/writable.js';
import { type Branches, type BroadcastOptions, broadcastOf } from './stages/split/broadcast.js';
import { planRun, startRun } from './start-run.js';

/** An array or a typed array that `collectInto()` can fill. */
export interface Fillable<T> {
  readonly length: number;
  [index: number]: T;
}

/**
 * A source and the stages its items go through: a description that does nothing until it is run.
 *
 * It has the verbs of `ReadableStream` (`pipeThrough`, `pipeTo`, async iteration) and the terminals of the iterator
 * helpers (`toArray`, `reduce`, `some` …). A pipeline can be extended and run any number of times, as far as its source
 * can be read again; each run compiles to one loop wherever its stages are synchronous.
 *
 * @typeParam T - The items.
 *
 * @example Ten lines from numbers to a sum
 * ```ts
 * const sum = await from([22.5, -10, 150])
 *   .pipeThrough(filter((celsius) => celsius <= 85))
 *   .pipeThrough(map((celsius) => (celsius * 9) / 5 + 32))
 *   .reduce((total, fahrenheit) => total + fahrenheit, 0);
 * assert.equal(sum, 86.5);
 * ```
 */
export class Pipeline<T> implements AsyncIterable<T> {
  readonly #source: SourceSpec;
  readonly #specs: readonly StageSpec[];

  /** @internal */
  constructor(source: SourceSpec, specs: readonly StageSpec[] = []) {
    this.#source = source;
    this.#specs = specs;
  }

  /** @internal */
  get chain(): Chain {
    return { source: this.#source, specs: this.#specs };
  }

  /**
   * Adds a stage, or a foreign transform pair such as a `CompressionStream`, behind the stages there are.
   *
   * @param stage - A stage, or any `{ readable, writable }` pair; a pair serves one run.
   * @param options - `name`: what a foreign pair is called (default: `'through'`). A stage has its options already: with
   *   one, any is refused, those of the Streams standard too. A run ends both sides of what it pipes through, always.
   * @returns A new pipeline; this one stays as it is.
   * @throws TypeError `ERR_CORE_ARGUMENT` when `stage` is neither, or an option is not for it.
   */
  pipeThrough<O>(
    stage: Stage<T, O> | { readonly readable: ReadableStream<O>; readonly writable: WritableStream<T> },
    options: { readonly name?: string } = {},
  ): Pipeline<O> {
    if (isStage(stage)) {
      refuseOptions('pipeThrough()', options, 'a stage of Millrace', 'given to the stage, or be of a foreign pair');
      return new Pipeline(this.#source, [...this.#specs, ...stage[SPECS]]);
    }
    const pair = stage as unknown as ForeignPair;
    if (!(pair?.readable instanceof ReadableStream) || !(pair.writable instanceof WritableStream)) {
      throw wrongType('pipeThrough()', 'stage', stage, 'a stage, or a pair of a readable and a writable stream');
    }
    checkOptions('pipeThrough()', options, ['name']);
    const { name = 'through' } = options;
    const foreign: StageSpec = {
      type: 'operator',
      name,
      highWaterMark: 0,
      inService: 1,
      detail: 'being written',
      isForeign: true,
      weight: 'one',
      open: (upstream, context) => new Through(pair, upstream, context),
    };
    return new Pipeline(this.#source, [...this.#specs, foreign]);
  }

  /**
   * Gives each item to several branches of one run; the slowest applies back-pressure.
   *
   * All branches must be in one run: started with {@link runAll}, or brought together with {@link merge}; a run without one
   * of them is refused. An item is the same object in every branch. A branch that ends early, at a `take()`, is left out
   * and the others go on; when all have ended, the source is closed.
   *
   * @typeParam N - How many branches.
   * @param branches - How many, 1 or more.
   * @param options - `highWaterMark`: how many items may wait before each branch (default 1), `name` (default `'broadcast'`).
   * @returns The branches, each a pipeline.
   * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
   *
   * @example The items, and every second one's square
   * ```ts
   * const [all, some] = from([1, 2, 3, 4]).broadcast(2);
   * const squares = some.pipeThrough(filter((n) => n % 2 === 0)).pipeThrough(map((n) => n * n));
   * assert.deepEqual((await merge(all, squares).toArray()).sort((a, b) => a - b), [1, 2, 3, 4, 4, 16]);
   * ```
   */
  broadcast<N extends number>(branches: N, options: BroadcastOptions = {}): Branches<T, N> {
    return broadcastOf(this.chain, branches, options).map((source) => new Pipeline<T>(source)) as Branches<T, N>;
  }

  /**
   * Says what the pipeline compiles to and the most items that can be inside.
   *
   * @param options - `fuse`, as for a run.
   * @returns The explanation, without a sink; `run.explain()` has it with one.
   */
  explain(options: RunOptions = {}): Explanation {
    return new Explanation(this.#plan(undefined, options, 'explain()'));
  }

  /**
   * Gives the stages as a graph: as data, and for Mermaid or Graphviz.
   *
   * @param options - `fuse`, as for a run.
   * @returns The graph, without a sink; `run.topology()` has it with one, and with what is where.
   */
  topology(options: RunOptions = {}): Topology {
    return new Topology(this.#plan(undefined, options, 'topology()'));
  }

  /**
   * Runs the pipeline into a sink and gives a handle on the run.
   *
   * @param sink - A function that is called with each item and its index (a promise it returns is awaited before the
   *   next item), a `WritableStream`, or a {@link Sink}.
   * @param options - See {@link RunOptions}.
   * @returns The run; it begins soon, after the caller's own code.
   * @throws PipelineError `ERR_CORE_IN_FLIGHT` when more than `maxInFlight` items could be inside.
   */
  run(sink: Sinkable<T>, options: RunOptions = {}): Run {
    return new Run(this.#start(sink, {}, options, 'run()'), options);
  }

  /**
   * Names the sink that the items go to, for {@link runAll} to start it with others as one run.
   *
   * @param sink - As for `run()`.
   * @param options - `preventClose` and `preventAbort`, where the sink is a `WritableStream`.
   * @returns The pipeline with its sink; nothing runs yet.
   */
  into(sink: Sinkable<T>, options: WritableOptions = {}): Delivery {
    return { [CHAIN]: { ...this.chain, sink: attach('into()', sink, options) } };
  }

  /**
   * Writes the items to a writable stream.
   *
   * @param writable - Is closed when the pipeline ends and aborted when it fails.
   * @param options - `preventClose`, `preventAbort`, and those of a run.
   * @returns Resolves when the stream has been closed.
   */
  async pipeTo(writable: WritableStream<T>, options: RunOptions & WritableOptions = {}): Promise<void> {
    const { preventClose, preventAbort, ...runOptions } = options;
    if (!(writable instanceof WritableStream)) throw wrongType('pipeTo()', 'writable', writable, 'a WritableStream');
    await settled(this.#start(writable, { preventClose, preventAbort }, runOptions, 'pipeTo()').outlet);
  }

  /**
   * Gives the items as a native stream, which fails with a {@link StageError}.
   *
   * @param options - `highWaterMark`: how many items the stream reads ahead (default 0), and those of a run.
   * @returns A stream; nothing is read before it is.
   */
  toReadableStream(options: RunOptions & { readonly highWaterMark?: number } = {}): ReadableStream<T> {
    const { highWaterMark = 0, ...runOptions } = options;
    checkCount('toReadableStream()', 'highWaterMark', highWaterMark, 0);
    const sink: BurstSink = { type: 'burst', name: 'readable', highWaterMark: 0, inService: 1 + highWaterMark };
    const outlet = this.#execute(sink, runOptions, 'toReadableStream()');
    return readableOf(outlet, highWaterMark, (reason) => reason) as ReadableStream<T>;
  }

  /** Iterates over the items: each is read when it is asked for; leaving the loop closes the source. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.values();
  }

  /**
   * Iterates over the items, with the options of a run.
   *
   * @param options - See {@link RunOptions}.
   * @returns An iterator; nothing is read before its first `next()`.
   */
  values(options: RunOptions = {}): AsyncIterableIterator<T> {
    const sink: BurstSink = { type: 'burst', name: 'iteration', highWaterMark: 0, inService: 1 };
    return new ItemIterator(this.#execute(sink, options, 'values()')) as unknown as AsyncIterableIterator<T>;
  }

  /** Collects the items into an array. */
  toArray(options?: RunOptions): Promise<T[]> {
    return this.#terminal<T[]>('toArray', SINKS.collect, [], undefined, options);
  }

  /**
   * Collects the items into an array or a typed array that is there already, from its beginning.
   *
   * @param target - Has room for all items.
   * @param options - See {@link RunOptions}.
   * @returns Resolves with how many items there were.
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
   */
  async reduce<A>(
    fn: (value: A, item: T, index: number) => A | PromiseLike<A>,
    seed: A,
    options?: RunOptions,
  ): Promise<A> {
    checkFunction('reduce()', 'fn', fn);
    return this.#terminal<A>('reduce', SINKS.reduce, [fn], seed, options);
  }

  /**
   * Calls a function with each item.
   *
   * @param fn - Is given the item and its index; a promise it returns is awaited before the next item.
   * @param options - See {@link RunOptions}.
   * @returns Resolves when it has been called with the last item.
   */
  async forEach(fn: (item: T, index: number) => unknown, options?: RunOptions): Promise<void> {
    checkFunction('forEach()', 'fn', fn);
    await this.#terminal<unknown>('forEach', SINKS.forEach, [fn], undefined, options);
  }

  /** Counts the items. */
  count(options?: RunOptions): Promise<number> {
    return this.#terminal<number>('count', SINKS.count, [], undefined, options);
  }

  /** Gives the first item and closes the source; `undefined` where there is none. */
  first(options?: RunOptions): Promise<T | undefined> {
    return this.#terminal<T | undefined>('first', SINKS.first, [], undefined, options);
  }

  /** Gives the last item; `undefined` where there is none. */
  last(options?: RunOptions): Promise<T | undefined> {
    return this.#terminal<T | undefined>('last', SINKS.last, [], undefined, options);
  }

  /** Says whether the predicate is true for some item; reads no further than that item. */
  async some(predicate: (item: T, index: number) => boolean, options?: RunOptions): Promise<boolean> {
    checkFunction('some()', 'predicate', predicate);
    return this.#terminal<boolean>('some', SINKS.some, [predicate], undefined, options);
  }

  /** Says whether the predicate is true for every item; reads no further than the first for which it is not. */
  async every(predicate: (item: T, index: number) => boolean, options?: RunOptions): Promise<boolean> {
    checkFunction('every()', 'predicate', predicate);
    return this.#terminal<boolean>('every', SINKS.every, [predicate], undefined, options);
  }

  /** Gives the first item for which the predicate is true, and reads no further; `undefined` where there is none. */
  async find(predicate: (item: T, index: number) => boolean, options?: RunOptions): Promise<T | undefined> {
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
    return new Execution(this.#plan(sink, options, where), options).outlet;
  }

  #plan(sink: SinkSpec | undefined, options: RunOptions, where: string): Plan {
    return planRun(where, [{ ...this.chain, sink }], options);
  }
}

const CHECKPOINTED = 'left out: checkpoints are for run(), runAll() and pipeTo()';

async function settled(outlet: Outlet<RunEnd>): Promise<void> {
  const { failure } = await outlet.over();
  if (failure !== undefined) throw failure.reason;
}
