import { Edge } from './engine/edge.js';
import type { RunOptions } from './engine/execution.js';
import { Explanation } from './engine/explain.js';
import type { Plan } from './engine/plan.js';
import type { Chain, SourceSpec, StageSpec } from './engine/spec.js';
import { isStage, SPECS, type Stage } from './engine/stage.js';
import { type ForeignPair, Through } from './engine/through.js';
import { Topology } from './engine/topology.js';
import { checkOptions, refuseOptions, wrongType } from './internal/arguments.js';
import { type EdgeOptions, edgeMark } from './stages/edge-options.js';
import type { UseMapAsyncForPromises } from './stages/not-promise.js';
import { type BalanceOptions, balanceOf } from './stages/split/balance.js';
import { type Branches, type BroadcastOptions, broadcastOf } from './stages/split/broadcast.js';
import { type PartitionOptions, partitionOf } from './stages/split/partition.js';
import { type Routed, type RouteOptions, type Routes, routesOf } from './stages/split/route.js';
import { planRun } from './start-run.js';
import { Terminals } from './terminals.js';

/**
 * What a foreign pair is called, and how much may wait before it.
 *
 * @typeParam T - What goes in.
 */
export interface ForeignPairOptions<T> extends EdgeOptions<T> {
  /** What it is called in errors, plans and figures. Default: `'through'`. */
  readonly name?: string;
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
export class Pipeline<T> extends Terminals<T> {
  readonly #source: SourceSpec;
  readonly #specs: readonly StageSpec[];

  /** @internal */
  constructor(source: SourceSpec, specs: readonly StageSpec[] = []) {
    super();
    this.#source = source;
    this.#specs = specs;
    // What `console.log()` shows in Node, Deno and Bun.
    const value = (): string => `Pipeline { ${[source, ...specs].map(({ name }) => name).join(' → ')} }`;
    Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), { value });
  }

  /** @internal */
  override get chain(): Chain {
    return { source: this.#source, specs: this.#specs };
  }

  /**
   * Adds a stage, or a foreign transform pair such as a `CompressionStream`, behind the stages there are.
   *
   * @param stage - A stage, or any `{ readable, writable }` pair; a pair serves one run.
   * @param options - Of a foreign pair: `name` (default: `'through'`), `highWaterMark` (default 0) with `size`: how much may wait
   *   before it, beyond what its own strategy lets in. A stage has its options already: with one, any is refused, those of the Streams standard too. A run ends both sides of what it pipes through, always.
   * @returns A new pipeline; this one stays as it is.
   * @throws TypeError `ERR_CORE_ARGUMENT` when `stage` is neither, or an option is not for it.
   *
   * @remarks Elsewhere: RxJS `pipe`; Rust –; Akka `via`; Node `compose`.
   *
   * @example A stage, and a transform of the platform
   * ```ts
   * const lengths = from(['ab', 'c']).pipeThrough(new TextEncoderStream()).pipeThrough(map((bytes) => bytes.length));
   * assert.deepEqual(await lengths.toArray(), [2, 1]);
   * ```
   */
  pipeThrough<O>(
    stage: Stage<T, O> | { readonly readable: ReadableStream<O>; readonly writable: WritableStream<T> },
    options: ForeignPairOptions<NoInfer<T>> = {},
  ): Pipeline<O> {
    if (isStage(stage)) {
      refuseOptions('pipeThrough()', options, 'a stage of Millrace', 'given to the stage, or be of a foreign pair');
      return new Pipeline(this.#source, [...this.#specs, ...stage[SPECS]]);
    }
    const pair = stage as unknown as ForeignPair;
    if (!(pair?.readable instanceof ReadableStream) || !(pair.writable instanceof WritableStream)) {
      throw wrongType('pipeThrough()', 'stage', stage, 'a stage, or a pair of a readable and a writable stream');
    }
    checkOptions('pipeThrough()', options, ['name', 'highWaterMark', 'size']);
    const { name = 'through' } = options;
    const { highWaterMark, size } = edgeMark('pipeThrough()', options) ?? { highWaterMark: 0, size: undefined };
    const foreign: StageSpec = {
      type: 'operator',
      name,
      highWaterMark,
      size,
      inService: 1,
      detail: 'being written',
      isForeign: true,
      servesOnce: true,
      weight: 'one',
      open(upstream, context) {
        const edge = highWaterMark > 0 ? new Edge(upstream, highWaterMark, context, true, size) : upstream;
        return new Through(pair, edge, context);
      },
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
   * @param options - `highWaterMark`: how many items may wait before each branch (default 1), with `size`; `name` (default
   *   `'broadcast'`).
   * @returns The branches, each a pipeline.
   * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
   * @remarks Elsewhere: RxJS `share`, without back-pressure; Rust –; Akka `Broadcast`; Node –.
   *
   * @example The items, and every second one's square
   * ```ts
   * const [all, some] = from([1, 2, 3, 4]).broadcast(2);
   * const squares = some.pipeThrough(filter((n) => n % 2 === 0)).pipeThrough(map((n) => n * n));
   * assert.deepEqual((await merge(all, squares).toArray()).sort((a, b) => a - b), [1, 2, 3, 4, 4, 16]);
   * ```
   */
  broadcast<N extends number>(branches: N, options: BroadcastOptions<NoInfer<T>> = {}): Branches<T, N> {
    return broadcastOf(this.chain, branches, options).map((source) => new Pipeline<T>(source)) as Branches<T, N>;
  }

  /**
   * Gives each item to one of several branches: the first whose predicate is true for it.
   *
   * As with {@link broadcast}, all branches must be in one run, and the slowest applies back-pressure. The items of a branch
   * that has ended early count as dropped.
   *
   * Contract
   * - Order: that of the items, in each branch.
   * - Holds: at most `highWaterMark` items before each branch.
   * - Backpressure: reads on when all branches have room, since any may get the next item.
   * - Failure: an item on which a predicate throws, or for which none is true, is dealt with as `onError` says: by default it
   *   fails all branches, behind the items before it. An upstream error is passed on to all.
   * - Cancel: when all branches have been cancelled, upstream is.
   *
   * Marks go to all branches.
   *
   * @typeParam R - The predicates; what a type guard lets through is the type of its branch.
   * @param predicates - By the name of the branch, in the order in which they are asked; each is given the item and its index.
   * @param options - `unmatched`: `'fail'` (default) or `'drop'`; `onError` (default `'fail'`), where `fallback()` gives the name
   *   of a branch; `highWaterMark` (default 1) with `size`; `name` (default `'route'`).
   * @returns The branches, by name.
   * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
   * @remarks Elsewhere: RxJS `partition`, twice; Rust –; Akka `Partition`; Node –.
   *
   * @example Errors to one place, the rest to another
   * ```ts
   * const levels = from(['info a', 'error b', 'info c']).route({ errors: (line) => line.startsWith('error'), rest: () => true });
   * const [errors, rest]: [string[], string[]] = [[], []];
   * await runAll(levels.errors.into((line) => void errors.push(line)), levels.rest.into((line) => void rest.push(line))).finished;
   * assert.deepEqual([errors, rest], [['error b'], ['info a', 'info c']]);
   * ```
   *
   * @example What can't be told goes to a branch of its own
   * ```ts
   * const parse = (text: string): { id: number } => JSON.parse(text);
   * const { odd, even, broken } = from(['{"id":1}', 'oops', '{"id":2}']).route(
   *   { odd: (text) => parse(text).id % 2 === 1, even: () => true, broken: () => false },
   *   { onError: fallback(() => 'broken') },
   * );
   * const seen: string[] = [];
   * await runAll(odd.into(() => {}), even.into(() => {}), broken.into((text) => void seen.push(text))).finished;
   * assert.deepEqual(seen, ['oops']);
   * ```
   */
  route<R extends Routes<T>>(predicates: R, options: RouteOptions<NoInfer<T>> = {}): Routed<T, R> {
    const branches = routesOf(this.chain, predicates, options).map(([name, source]) => [name, new Pipeline(source)]);
    return Object.fromEntries(branches) as Routed<T, R>;
  }

  /**
   * Gives each item to one of two branches: the first where the predicate is true for it, else the second.
   *
   * A {@link route} of two: what is said there holds here.
   *
   * Contract
   * - Order: that of the items, in each branch.
   * - Holds: at most `highWaterMark` items before each branch.
   * - Backpressure: reads on when both branches have room, since either may get the next item.
   * - Failure: what the predicate throws is dealt with as `onError` says: by default it fails both branches, behind the items
   *   before it; an upstream error is passed on.
   * - Cancel: when both branches have been cancelled, upstream is.
   *
   * Marks go to both branches.
   *
   * @param predicate - Is given the item and its index.
   * @param options - `onError` (default `'fail'`), where `fallback()` gives another answer; `highWaterMark` (default 1) with
   *   `size`; `name` (default `'partition'`).
   * @returns The branch of those for which it is true, and that of the others.
   * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
   * @remarks Elsewhere: RxJS `partition`; Rust `Iterator::partition`; Akka `divertTo`; Node –.
   *
   * @example Small and large, worked on apart and brought together
   * ```ts
   * const [small, large] = from([1, 20, 3]).partition((n) => n < 10);
   * const halves = large.pipeThrough(map((n) => n / 2));
   * assert.deepEqual((await merge(small, halves).toArray()).sort((a, b) => a - b), [1, 3, 10]);
   * ```
   */
  partition<S extends T>(
    predicate: (item: T, index: number) => item is S,
    options?: PartitionOptions<NoInfer<T>>,
  ): readonly [Pipeline<S>, Pipeline<Exclude<T, S>>];
  /** Gives each item to one of two branches, by a predicate that is no type guard. */
  partition(
    predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
    options?: PartitionOptions<NoInfer<T>>,
  ): readonly [Pipeline<T>, Pipeline<T>];
  partition(
    predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
    options: PartitionOptions<NoInfer<T>> = {},
  ): readonly [Pipeline<T>, Pipeline<T>] {
    const [yes, no] = partitionOf(this.chain, predicate, options);
    return [new Pipeline(yes), new Pipeline(no)];
  }

  /**
   * Gives each item to one of several branches that work alike: whichever has room takes the next.
   *
   * All branches must be in one run: brought together with {@link merge}, or started with {@link runAll}. Those that have
   * room take turns. A branch that ends early is left out, and the others go on.
   *
   * Contract
   * - Order: that of the items, in each branch; behind a merge, of arrival.
   * - Holds: at most `highWaterMark` items before each branch.
   * - Backpressure: reads on when a branch asks, for as many items as those that ask have room for.
   * - Failure: an upstream error is passed on to all branches.
   * - Cancel: when all branches have been cancelled, upstream is.
   *
   * Marks go to all branches; nothing is read before all have taken one.
   *
   * @typeParam N - How many branches.
   * @param branches - How many, 1 or more.
   * @param options - `highWaterMark`: how many items may wait before a branch that is busy (default 0: an item goes to a
   *   branch that asks), with a `size` how much they may weigh; `name` (default `'balance'`).
   * @returns The branches, each a pipeline.
   * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
   * @remarks Elsewhere: RxJS –; Rust –; Akka `Balance`; Node –.
   *
   * @example Three writers, each with a connection of its own
   * ```ts
   * const writers = range(0, 90).balance(3).map((part, at) => part.pipeThrough(mapAsync(async (n) => `${n} by ${at}`)));
   * assert.equal(await merge(...writers).count(), 90);
   * ```
   */
  balance<N extends number>(branches: N, options: BalanceOptions<NoInfer<T>> = {}): Branches<T, N> {
    return balanceOf(this.chain, branches, options).map((source) => new Pipeline<T>(source)) as Branches<T, N>;
  }

  /**
   * Says what the pipeline compiles to and the most items that can be inside.
   *
   * @param options - `fuse`, as for a run.
   * @returns The explanation, without a sink; `run.explain()` has it with one.
   */
  explain(options: RunOptions = {}): Explanation {
    return new Explanation(this.#plan(options, 'explain()'));
  }

  /**
   * Gives the stages as a graph: as data, and for Mermaid or Graphviz.
   *
   * @param options - `fuse`, as for a run.
   * @returns The graph, without a sink; `run.topology()` has it with one, and with what is where.
   */
  topology(options: RunOptions = {}): Topology {
    return new Topology(this.#plan(options, 'topology()'));
  }

  #plan(options: RunOptions, where: string): Plan {
    return planRun(where, [{ ...this.chain, sink: undefined }], options);
  }
}
