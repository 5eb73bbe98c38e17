import type { Puller } from '../engine/answer.js';
import type { StageContext } from '../engine/context.js';
import { Edge } from '../engine/edge.js';
import { openPair } from '../engine/pair.js';
import type { SizeOf } from '../engine/scale.js';
import type { OperatorPuller, OperatorRooms, OperatorSpec, Room, Weight } from '../engine/spec.js';
import { type Stage, stageOf } from '../engine/stage.js';
import { checkFunction, wrongType } from '../internal/arguments.js';

/** What the plan has to know of a stage that is not a synchronous step, and how to open it for a run. */
export interface OperatorOptions<I, O> {
  /** What the stage is called in errors, plans and figures. */
  readonly name: string;
  /**
   * How many items may wait on the edge before it; the edge is made by the engine. A function is given how many source
   * items one item stands for, as behind a batch: `roomFor(256)` makes room for 256 of those, and one item at least.
   * Default: 0.
   */
  readonly highWaterMark?: Room;
  /** What an item on that edge weighs, 1 at least: makes `highWaterMark` one of weight, such as bytes. Default: 1 each. */
  readonly size?: ((item: I) => number) | undefined;
  /** The most items in service at once, those that are finished and wait included; `open` is told it. Default: 0. */
  readonly inService?: Room;
  /** What `explain()` calls those, as in `concurrency`. Default: `'in service'`. */
  readonly detail?: string;
  /**
   * How many source items one item stands for behind the stage: `'same'` as before it, `'one'` where it unfolds items, or
   * `{ times }` as many, where it gathers them. Default: `'same'`.
   */
  readonly weight?: Weight;
  /**
   * Why the stage cannot be part of a run with checkpoints, as in `'keeps an open connection'`: such a plan is refused.
   * For a stage that keeps what `save` can't give. Default: it can.
   */
  readonly obstacle?: string;
  /**
   * Whether what comes out first came in first: then a run with `maxBytesInFlight` knows from its counts which items have
   * left; else it waits until the stage is empty. Default: `false`.
   */
  readonly keepsOrder?: boolean | undefined;
  /**
   * Whether what it holds waits for more to come, or for a mark to let it go: then a run with `maxBytesInFlight` that could
   * not go on otherwise sends it a flush. It calls `context.inside(0)` behind each burst that it takes. Default: `false`.
   */
  readonly gathers?: boolean | undefined;
  /**
   * Whether it hands on items that carry their origins. In a run with `context: true` its items are then to be looked into
   * by `plain()` and `within()` only, and what it makes of one to be given the same origin by `carryOn()`. Default: `false`;
   * it is given items without, and what it hands on has the origin of the run.
   */
  readonly carries?: boolean;
  /** Opens the stage for one run: a function from the upstream puller to a downstream puller. */
  open(upstream: Puller<I>, context: StageContext, rooms: OperatorRooms): OperatorPuller<O>;
}

/**
 * Makes a stage of an operator: for packages, and users, whose stages are more than a function on each item.
 *
 * The puller that `open` returns keeps the protocol of `Puller`, and the counts of its context: `in` when an item is
 * taken, `out` when one is handed on, `abandoned` at `close()` for what was inside, `made` and `absorbed` where it turns
 * items into others. It calls `context.inside(±items)` when items come to be or end inside it.
 *
 * A stage that keeps something from item to item, such as a window or the keys that it has seen, has `save` and `restore`
 * on its puller too. Without them it begins anew when a run goes on from a checkpoint. What it holds when a mark comes it
 * either hands on before the mark or saves; it takes nothing from behind a mark before it has handed that on.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @param options - The name, what it holds, and `open`.
 * @returns A stage from `I` to `O`.
 * @remarks Elsewhere: RxJS `new Observable`; Rust `impl Stream`; Akka `GraphStage`; Node `Transform`.
 *
 * @example An operator that passes every burst on
 * ```ts
 * import { type Answer, isLater, operator } from '@millrace/core/authoring';
 * const pass = operator<number, number>({
 *   name: 'pass',
 *   open(upstream, { counts }) {
 *     const count = (answer: Answer<number>): Answer<number> => {
 *       if (Array.isArray(answer)) counts.out = counts.in += answer.length;
 *       return answer;
 *     };
 *     return {
 *       pull(max) {
 *         const pulled = upstream.pull(max);
 *         return isLater(pulled) ? pulled.then(count) : count(pulled);
 *       },
 *       close: (reason) => upstream.close(reason),
 *     };
 *   },
 * });
 * assert.deepEqual(await from([1, 2]).pipeThrough(pass).toArray(), [1, 2]);
 * ```
 *
 * @example An operator that saves what it keeps
 * ```ts
 * import { type Answer, isLater, operator } from '@millrace/core/authoring';
 * const total = operator<number, number>({
 *   name: 'total',
 *   open(upstream, { counts }) {
 *     let sum = 0;
 *     const add = (answer: Answer<number>): Answer<number> => {
 *       if (!Array.isArray(answer)) return answer;
 *       counts.out = counts.in += answer.length;
 *       return answer.map((n) => (sum += n));
 *     };
 *     return {
 *       pull(max) {
 *         const pulled = upstream.pull(max);
 *         return isLater(pulled) ? pulled.then(add) : add(pulled);
 *       },
 *       close: (reason) => upstream.close(reason),
 *       save: () => sum,
 *       restore(saved) {
 *         sum = saved as number;
 *       },
 *     };
 *   },
 * });
 * let last: Checkpoint | undefined;
 * const checkpoint: Checkpointer = { load: () => last, save: (next) => void (last = next) };
 * const sums: number[] = [];
 * await range(1, 4).pipeThrough(total).run((sum) => void sums.push(sum), { checkpoint }).finished;
 * await range(1, 6).pipeThrough(total).run((sum) => void sums.push(sum), { checkpoint }).finished;
 * assert.deepEqual(sums, [1, 3, 6, 10, 15]);
 * ```
 */
export function operator<I, O>(options: OperatorOptions<I, O>): Stage<I, O> {
  const { name, highWaterMark = 0, size, inService = 0, detail = 'in service', weight = 'same' } = options;
  const where = `operator "${name}"`;
  if (typeof name !== 'string' || name === '') throw wrongType('operator()', 'name', name, 'what the stage is called');
  checkFunction('operator()', 'open', options.open);
  const { obstacle, keepsOrder, gathers, carries } = options;
  const sizeOf = size as SizeOf | undefined;
  const open: OperatorSpec['open'] = (upstream, context, rooms) => {
    const edge = rooms.highWaterMark > 0 ? new Edge(upstream, rooms.highWaterMark, context, true, sizeOf) : upstream;
    const puller = options.open(edge as Puller<I>, context, rooms) as OperatorPuller<unknown>;
    checkFunction(where, 'pull of what open() gave', puller?.pull);
    return puller;
  };
  const rooms = { highWaterMark, size: sizeOf, inService, detail, weight };
  return stageOf({ type: 'operator', name, ...rooms, obstacle, keepsOrder, gathers, carries, open }, openPair);
}
