import { checkRunOptions } from './engine/check-run-options.js';
import { driveGroup, driveSink, driveWriter } from './engine/drive.js';
import { Execution, type RunOptions } from './engine/execution.js';
import { Explanation } from './engine/explain.js';
import { ItemIterator } from './engine/item-iterator.js';
import { type BurstSink, type FusedSink, makePlan, type Plan, type SinkSpec } from './engine/plan.js';
import { readableOf } from './engine/readable.js';
import { SINKS } from './engine/sink-kinds.js';
import type { SourceSpec, StageSpec } from './engine/spec.js';
import { isStage, SPECS, type Stage } from './engine/stage.js';
import type { SinkKind } from './engine/step.js';
import { type ForeignPair, Through } from './engine/through.js';
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkOptions,
  refuseOptions,
  wrongType,
} from './internal/arguments.js';
import { Run } from './run.js';
import type { Sink } from './sinks/sink.js';
import { type WritableOptions, writableWriter } from './sinks/writable.js';

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
      inService: 0,
      detail: 'foreign',
      isForeign: true,
      weight: 'one',
      open: (upstream, context) => new Through(pair, upstream, context),
    };
    return new Pipeline(this.#source, [...this.#specs, foreign]);
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
   * Runs the pipeline into a sink and gives a handle on the run.
   *
   * @param sink - A function that is called with each item and its index (a promise it returns is awaited before the
   *   next item), a `WritableStream`, or a {@link Sink}.
   * @param options - See {@link RunOptions}.
   * @returns The run; it begins soon, after the caller's own code.
   * @throws PipelineError `ERR_CORE_IN_FLIGHT` when more than `maxInFlight` items could be inside.
   */
  run(sink: ((item: T, index: number) => unknown) | WritableStream<T> | Sink<T>, options: RunOptions = {}): Run {
    if (typeof sink === 'function') {
      const execution = this.#execute(fused('forEach', SINKS.forEach, [sink]), options, 'run()');
      execution.start(() => driveGroup(execution));
      return new Run(execution, options);
    }
    if (sink instanceof WritableStream) return new Run(this.#into(sink, {}, options, 'run()'), options);
    if (typeof sink?.open !== 'function')
      throw wrongType('run()', 'sink', sink, 'a function, a WritableStream or a Sink');
    const { name = 'sink', highWaterMark, maxBurst = 1 } = sink;
    checkCount('run()', 'maxBurst of the sink', maxBurst, 1);
    const spec: BurstSink = { type: 'burst', name, highWaterMark, inService: maxBurst };
    const execution = this.#execute(spec, options, 'run()');
    execution.start(() => driveSink(execution, () => sink.open(execution.sink as never), maxBurst));
    return new Run(execution, options);
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
    if (preventClose !== undefined) checkBoolean('pipeTo()', 'preventClose', preventClose);
    if (preventAbort !== undefined) checkBoolean('pipeTo()', 'preventAbort', preventAbort);
    await settled(this.#into(writable, { preventClose, preventAbort }, runOptions, 'pipeTo()'));
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
    const execution = this.#execute(sink, runOptions, 'toReadableStream()');
    return readableOf(execution, highWaterMark, (reason) => reason) as ReadableStream<T>;
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

  #into(writable: WritableStream<T>, how: WritableOptions, options: RunOptions, where: string): Execution {
    if (!(writable instanceof WritableStream)) throw wrongType(where, 'writable', writable, 'a WritableStream');
    if (writable.locked) throw wrongType(where, 'writable', 'locked', 'a WritableStream that nobody writes to');
    const spec: BurstSink = { type: 'burst', name: 'writable', highWaterMark: undefined, inService: 1 };
    const execution = this.#execute(spec, options, where);
    const writer = writableWriter(writable as WritableStream<unknown>, how, execution);
    execution.closeSink = (failure) => failure && writer.abort?.(failure.reason);
    execution.start(() => driveWriter(execution, writer, 1));
    return execution;
  }

  async #terminal<R>(
    name: string,
    kind: SinkKind,
    params: readonly unknown[],
    seed: unknown,
    options: RunOptions = {},
  ): Promise<R> {
    const execution = this.#execute(fused(name, kind, params, seed), options, `${name}()`);
    execution.start(() => driveGroup(execution));
    await settled(execution);
    return execution.group?.result() as R;
  }

  #execute(sink: SinkSpec, options: RunOptions, where: string): Execution {
    return new Execution(this.#plan(sink, options, where), options);
  }

  #plan(sink: SinkSpec | undefined, options: RunOptions, where: string): Plan {
    checkRunOptions(where, options);
    const { fuse = true, generate = true, maxInFlight } = options;
    return makePlan(this.#source, this.#specs, sink, { fuse, generate, maxInFlight });
  }
}

function fused(name: string, kind: SinkKind, params: readonly unknown[], seed?: unknown): FusedSink {
  return { type: 'fused', name, kind, params, seed };
}

async function settled(execution: Execution): Promise<void> {
  const { failure } = await execution.over();
  if (failure !== undefined) throw failure.reason;
}
