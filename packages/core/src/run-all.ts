import type { RunOptions } from './engine/execution.js';
import { CHAIN } from './engine/spec.js';
import { wrongType } from './internal/arguments.js';
import { Run } from './run.js';
import type { Delivery } from './sinks/delivery.js';
import { startRun } from './start-run.js';

/**
 * Starts several pipelines, each with its sink, as one run: the branches of a `broadcast()`, or any others.
 *
 * The run has one plan, one bound and one balance over all of them. It is over when all have ended; a failure anywhere
 * ends all of it, and so do `abort()` and the signal; `drain()` ends all sources. A sink that ended before is closed by then.
 *
 * @param deliveries - What `pipeline.into(sink)` gave, one or more, and at the end, where wanted, the options of the run.
 * @returns The run; it begins soon, after the caller's own code.
 * @throws PipelineError `ERR_CORE_BRANCH` when a branch of a broadcast is missing, `ERR_CORE_IN_FLIGHT` when more than
 *   `maxInFlight` items could be inside.
 * @remarks Elsewhere: RxJS –; Rust `join!`; Akka `RunnableGraph.fromGraph`; Node –.
 *
 * @example Each item to two sinks
 * ```ts
 * const [numbers, squares] = from([1, 2, 3]).broadcast(2);
 * const seen: number[] = [];
 * let sum = 0;
 * const run = runAll(
 *   numbers.into((n) => void seen.push(n)),
 *   squares.pipeThrough(map((n) => n * n)).into((n) => void (sum += n)),
 * );
 * const summary = await run.finished;
 * assert.deepEqual([seen, sum], [[1, 2, 3], 14]);
 * assert.deepEqual([summary.read, summary.emitted, summary.balanced], [3, 6, true]);
 * ```
 */
export function runAll(...deliveries: readonly Delivery[]): Run;
/** Starts several pipelines, each with its sink, as one run, with options. */
export function runAll(...deliveriesAndOptions: readonly [...deliveries: Delivery[], options: RunOptions]): Run;
export function runAll(...given: ReadonlyArray<Delivery | RunOptions>): Run {
  const last = given.at(-1);
  const hasOptions = given.length > 1 && !isDelivery(last);
  const options = hasOptions ? (last as RunOptions) : {};
  const deliveries = hasOptions ? given.slice(0, -1) : given;
  if (deliveries.length === 0) throw wrongType('runAll()', 'the first pipeline', undefined, MUST_BE);
  const chains = deliveries.map((delivery, at) => {
    if (!isDelivery(delivery)) throw wrongType('runAll()', `pipeline ${at + 1}`, delivery, MUST_BE);
    return delivery[CHAIN];
  });
  return new Run(startRun('runAll()', chains, options), options);
}

const MUST_BE = 'one with its sink, as pipeline.into(sink) gives it';

function isDelivery(value: unknown): value is Delivery {
  return typeof value === 'object' && value !== null && CHAIN in value;
}
