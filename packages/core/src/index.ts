export type { Acknowledger, Checkpoint, Checkpointer } from './checkpointer.js';
export { type Clock, systemClock, type Timer } from './clock.js';
export type { Fate, StageCounts } from './engine/counts.js';
export type { RunOptions } from './engine/execution.js';
export { Explanation } from './engine/explain.js';
export type { PlannedRoom, PlannedStage } from './engine/plan.js';
export type { DrainReceipt } from './engine/receipt.js';
export type { Stage } from './engine/stage.js';
export type { RunSummary } from './engine/summary.js';
export { Topology, type TopologyEdge, type TopologyGroup, type TopologyNode } from './engine/topology.js';
export { type CoreErrorCode, type EdgeFill, PipelineError, StageError } from './errors.js';
export type { Observer, RunView } from './observer.js';
export { Pipeline } from './pipeline.js';
export { Run } from './run.js';
export { runAll } from './run-all.js';
export type { Sinkable } from './sinks/attach.js';
export type { Delivery } from './sinks/delivery.js';
export type { Sink, SinkContext, SinkWriter } from './sinks/sink.js';
export type { WritableOptions } from './sinks/writable.js';
export { type Channel, channel, type Sender } from './sources/channel.js';
export { from, type ReadableItems, type Streamable } from './sources/from.js';
export { type Emitter, type FromEventsOptions, fromEvents } from './sources/from-events.js';
export { type FromReaderOptions, fromReader, type ItemReader, type ReadResult } from './sources/from-reader.js';
export { generate } from './sources/generate.js';
export { interval } from './sources/interval.js';
export { range } from './sources/range.js';
export { type BufferUnorderedOptions, bufferUnordered, type Thunk } from './stages/async/buffer-unordered.js';
export { type CachedOptions, cached } from './stages/async/cached.js';
export type { ItemPolicyOptions, RetryOptions } from './stages/async/item-policy.js';
export { type ConcurrencyOptions, type ItemContext, type MapAsyncOptions, mapAsync } from './stages/async/map-async.js';
export { type ComposeOptions, compose } from './stages/compose.js';
export type { EdgeOptions } from './stages/edge-options.js';
export { type DeadLetter, type DeadLetterOffice, deadLetter, type OnError } from './stages/fault/dead-letter.js';
export { type ErrorPolicy, type FailedItem, type Fallback, fallback } from './stages/fault/fallback.js';
export { type BufferOptions, buffer, type Overflow } from './stages/flow/buffer.js';
export { type DebounceOptions, debounce } from './stages/flow/debounce.js';
export { type DelayOptions, delay } from './stages/flow/delay.js';
export { type Rate, type RateBudget, rateBudget } from './stages/flow/rate-budget.js';
export { type RateLimitOptions, rateLimit } from './stages/flow/rate-limit.js';
export { type SampleOptions, sample } from './stages/flow/sample.js';
export { type ThrottleOptions, throttle } from './stages/flow/throttle.js';
export { type BatchOptions, batch } from './stages/group/batch.js';
export { type BatchWhileBusyOptions, batchWhileBusy } from './stages/group/batch-while-busy.js';
export { type ConflateOptions, conflate } from './stages/group/conflate.js';
export { type DedupeOptions, dedupe } from './stages/group/dedupe.js';
export { dedupeConsecutive } from './stages/group/dedupe-consecutive.js';
export { distinctUntilChanged } from './stages/group/distinct-until-changed.js';
export {
  type FoldedWindow,
  type ItemsWindow,
  type WindowFold,
  type WindowOptions,
  type WindowSpan,
  window,
} from './stages/group/window.js';
export { type ConcatOptions, concat } from './stages/join/concat.js';
export type { JoinOptions } from './stages/join/inputs.js';
export { interleave } from './stages/join/interleave.js';
export { type ItemOf, type MergeOptions, merge } from './stages/join/merge.js';
export { type MergeSortedOptions, mergeSorted } from './stages/join/merge-sorted.js';
export { type Zipped, zip } from './stages/join/zip.js';
export { drop } from './stages/shape/drop.js';
export { dropWhile } from './stages/shape/drop-while.js';
export { enumerate } from './stages/shape/enumerate.js';
export { filter } from './stages/shape/filter.js';
export { filterMap } from './stages/shape/filter-map.js';
export { flatMap } from './stages/shape/flat-map.js';
export { flatten } from './stages/shape/flatten.js';
export { map, type NotPromise } from './stages/shape/map.js';
export { pairwise } from './stages/shape/pairwise.js';
export { scan } from './stages/shape/scan.js';
export { type StatefulMapOptions, statefulMap } from './stages/shape/stateful-map.js';
export { take } from './stages/shape/take.js';
export { type TakeWhileOptions, takeWhile } from './stages/shape/take-while.js';
export { tap } from './stages/shape/tap.js';
export type { Branches, BroadcastOptions } from './stages/split/broadcast.js';
export type { CallOptions, StepOptions } from './stages/step-options.js';
export { type StopOptions, type Stoppable, type Stopping, type StopSignal, stopOnSignals } from './stop-on-signals.js';
export type { Fillable, Terminals } from './terminals.js';
