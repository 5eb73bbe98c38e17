import type { OpenWindow } from '../../engine/open-window.js';
import { openPair } from '../../engine/pair.js';
import type { OnError } from '../../engine/rejects.js';
import { roomFor } from '../../engine/spec.js';
import { type Stage, stageOf } from '../../engine/stage.js';
import type { WindowContent, WindowsOptions } from '../../engine/window-content.js';
import { ArrivalTime, EventTime } from '../../engine/window-time.js';
import { BURST, Windows } from '../../engine/windows.js';
import { type AnyWindowOptions, checkWindow, type WindowFold, type WindowOptions } from './window-options.js';

export type { WindowFold, WindowOptions };

/** Where a window begins and ends. Times are those of `timeMs`, or of the clock of the run. */
export interface WindowSpan<K = undefined> {
  /** The key that all items have; `undefined` without `keyBy`. */
  readonly key: K;
  /** The first time that belongs to it. */
  readonly startMs: number;
  /** The first time that does not belong to it any more. */
  readonly endMs: number;
  /** How often it went out before: more than 0 only with `allowedLatenessMs`, where a later one stands in its place. */
  readonly revision: number;
}

/** A window with its items, in the order in which they came. */
export interface ItemsWindow<T, K = undefined> extends WindowSpan<K> {
  readonly items: T[];
}

/** A window with what its items were folded into. */
export interface FoldedWindow<A, K = undefined> extends WindowSpan<K> {
  readonly value: A;
}

/**
 * Gathers the items of each span of time: tumbling, sliding or session windows, by arrival or by the time of events.
 *
 * By the time of events (`timeMs`) a window closes when the watermark has come to its end: the time of the latest item
 * less `maxOutOfOrderMs`, or a watermark mark of upstream, whichever is later. Items decide, so the same items give the
 * same windows; only with `idleMs` the clock has a say, and time in which the consumer is busy does not count.
 *
 * Contract
 * - Order: windows go out by their end, of one end in the order in which they were opened; none is empty.
 * - Holds: the items of open windows, at most `maxItems`; with `fold`, what they were folded into, and none of them. In the
 *   bound a window counts as its `maxItems`.
 * - Backpressure: does not read while a window waits for the consumer; by arrival, nor while `maxItems` are held.
 * - Failure: more than `maxItems` by the time of events, or more than `maxWindows`, fail the pipeline with
 *   `ERR_CORE_WINDOW`. What `timeMs`, `keyBy`, `fold`, `seed` or `combine` throws is dealt with as `onError` says: by default
 *   it does too; an item that is left out is in none of its windows, which are as they were, as far as `fold` does not
 *   change what it is given. When the pipeline fails, open windows are discarded, their items counted as abandoned, and
 *   those that had closed go out before.
 * - Cancel: cancelling downstream cancels upstream with the same reason.
 * - Checkpoint: open windows are part of it, so items, keys and what is folded must be values that the structured clone
 *   algorithm takes. By arrival, a window takes items for what is left of its time; the time between two runs does not count.
 *
 * At the end all windows that are open close. So they do where `maxBytesInFlight` leaves no room for more than they hold;
 * what comes then is in other windows of the same spans.
 *
 * @typeParam T - What comes in.
 * @typeParam A - What the items of a window are folded into.
 * @typeParam K - The keys.
 * @param options - `sizeMs` (with `slideMs`) or `gapMs`; `timeMs`, with `maxOutOfOrderMs`, `allowedLatenessMs`, `idleMs` and
 *   `onLate`; `keyBy`; `fold` with `seed` and `combine`; `maxItems`, `maxWindows`; `onError` (default `'fail'`); `name`
 *   (default `'window'`).
 * @returns A stage from `T` to windows.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an option is missing, unknown, of a wrong type or out of range.
 * @remarks Elsewhere: RxJS `windowTime`, `bufferTime`; Rust –; Akka `groupedWithin`; Node –.
 *
 * @example The readings of each ten seconds, one of which comes late
 * ```ts
 * const readings = from([{ at: 1_000, n: 1 }, { at: 12_000, n: 2 }, { at: 9_000, n: 3 }, { at: 21_000, n: 4 }]);
 * const tens = window({ sizeMs: 10_000, timeMs: (each: { at: number; n: number }) => each.at, maxOutOfOrderMs: 5_000 });
 * const all = await readings.pipeThrough(tens).toArray();
 * assert.deepEqual(all.map(({ startMs, items }) => [startMs, items.map(({ n }) => n)]), [
 *   [0, [1, 3]],
 *   [10_000, [2]],
 *   [20_000, [4]],
 * ]);
 * ```
 *
 * @example How much each user clicked at a stretch
 * ```ts
 * const clicks = from([{ user: 'a', at: 0 }, { user: 'b', at: 5 }, { user: 'a', at: 20 }, { user: 'a', at: 90 }]);
 * const sessions = clicks.pipeThrough(
 *   window({
 *     gapMs: 30,
 *     timeMs: ({ at }) => at,
 *     keyBy: ({ user }) => user,
 *     seed: () => 0,
 *     fold: (clicks) => clicks + 1,
 *     combine: (earlier, later) => earlier + later,
 *   }),
 * );
 * const found = (await sessions.toArray()).map(({ key, startMs, endMs, value }) => [key, startMs, endMs, value]);
 * assert.deepEqual(found, [['b', 5, 35, 1], ['a', 0, 50, 2], ['a', 90, 120, 1]]);
 * ```
 *
 * @example Late items to a side output
 * ```ts
 * const late: unknown[] = [];
 * const side = new WritableStream<DeadLetter<number>>({ write: ({ item }) => void late.push(item) });
 * const windows = window({ sizeMs: 10, timeMs: (at: number) => at, onLate: deadLetter(side) });
 * assert.equal(await from([1, 15, 2]).pipeThrough(windows).count(), 2);
 * assert.deepEqual(late, [2]);
 * ```
 * @see https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/datastream/operators/windows/
 */
export function window<T, A, K = undefined>(
  options: WindowOptions<T, K> & WindowFold<NoInfer<T>, A>,
): Stage<T, FoldedWindow<A, K>>;
export function window<T, K = undefined>(options: WindowOptions<T, K>): Stage<T, ItemsWindow<T, K>>;
export function window(options: AnyWindowOptions): Stage<never, WindowSpan<unknown>> {
  checkWindow(options);
  const { name = 'window', maxItems, maxWindows = Number.POSITIVE_INFINITY } = options;
  const holds = options.fold === undefined;
  const most = maxItems ?? Number.POSITIVE_INFINITY;
  const folding = (weight: number): number => (Number.isFinite(maxWindows) ? roomFor(BURST)(weight) : maxWindows);
  const isByArrival = options.timeMs === undefined;
  const windows = windowsOf(options, { maxItems: most, maxWindows });
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: 0,
      // One item more than may be held is taken, and fails the run, where windows do not close by themselves.
      inService: holds ? most + (isByArrival ? 0 : 1) : folding,
      detail: 'open windows',
      gathers: holds,
      carries: true,
      weight: holds ? { times: most } : 'one',
      open: (upstream, context, { inService }) =>
        new Windows(upstream, context, windows, timeOf(options), Math.min(BURST, inService)),
    },
    openPair,
  );
}

function timeOf({ timeMs, maxOutOfOrderMs = 0, idleMs }: AnyWindowOptions): ArrivalTime | EventTime {
  if (timeMs === undefined) return new ArrivalTime();
  return new EventTime({ timeMs: timeMs as (item: unknown, index: number) => number, maxOutOfOrderMs, idleMs });
}

function windowsOf(
  options: AnyWindowOptions,
  most: { readonly maxItems: number; readonly maxWindows: number },
): WindowsOptions {
  const { sizeMs, gapMs, slideMs = sizeMs, allowedLatenessMs = 0, keyBy, fold, onLate = 'skip' } = options;
  const { onError = 'fail' } = options;
  const { maxItems, maxWindows } = most;
  return {
    // PERF: spelled out, to be of one shape: what looks at another one is compiled again (core/window).
    limits: {
      sizeMs: gapMs ?? (sizeMs as number),
      slideMs: gapMs === undefined ? slideMs : undefined,
      allowedLatenessMs,
      maxItems,
      maxWindows,
      leavesOut: onError !== 'fail',
    },
    onLate: onLate as OnError<never>,
    onError: onError as OnError<never>,
    keyOf: keyBy as WindowsOptions['keyOf'],
    holds: fold === undefined,
    content: fold === undefined ? ITEMS : foldingOf(options),
    output: fold === undefined ? itemsOf : foldedOf,
  };
}

const ITEMS: WindowContent = {
  open: () => [],
  add(items, item) {
    (items as unknown[]).push(item);
    return items;
  },
  combine: (earlier, later) => (earlier as unknown[]).concat(later),
};

function foldingOf({ seed, fold, combine }: AnyWindowOptions): WindowContent {
  return { open: seed, add: fold, combine } as WindowContent;
}

function itemsOf(
  { key, startMs, endMs, closings }: OpenWindow,
  content: unknown,
  isKept: boolean,
): ItemsWindow<unknown, unknown> {
  const items = content as unknown[];
  return { key, startMs, endMs, revision: closings, items: isKept ? items.slice() : items };
}

function foldedOf({ key, startMs, endMs, closings }: OpenWindow, value: unknown): FoldedWindow<unknown, unknown> {
  return { key, startMs, endMs, revision: closings, value };
}
