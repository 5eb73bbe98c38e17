import type { RunOptions } from './engine/execution.js';
import { Explanation } from './engine/explain.js';
import type { Plan } from './engine/plan.js';
import type { Chain, SourceSpec, StageSpec } from './engine/spec.js';
import { isStage, SPECS, type Stage } from './engine/stage.js';
import { type ForeignPair, Through } from './engine/through.js';
import { Topology } from './engine/topology.js';
import { checkOptions, refuseOptions, wrongType } from './internal/arguments.js';
import { type Branches, type BroadcastOptions, broadcastOf } from './stages/split/broadcast.js';
import { planRun } from './start-run.js';
import { Terminals } from './terminals.js';

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
  }

  /** @internal */
  override get chain(): Chain {
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
   * @remarks Elsewhere: RxJS `share`, without back-pressure; Rust –; Akka `Broadcast`; Node –.
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
