import type { OnError } from '../../engine/rejects.js';
import { checkCount, checkFunction, checkMs, checkOptions, outOfRange, wrongType } from '../../internal/arguments.js';
import { checkOnError } from '../fault/dead-letter.js';
import type { NotPromise } from '../not-promise.js';

/**
 * Which windows there are, when they close, and how much they may hold.
 *
 * @typeParam T - What comes in.
 * @typeParam K - The keys.
 */
export interface WindowOptions<T, K = undefined> {
  /** What the stage is called in errors, plans and figures. Default: `'window'`. */
  readonly name?: string;
  /** How long a window is, in milliseconds; windows begin at multiples of `slideMs`. Either this or `gapMs`. */
  readonly sizeMs?: number;
  /** From the start of one window to that of the next, at most `sizeMs`: an item is in several. Default: `sizeMs`. */
  readonly slideMs?: number;
  /** Makes sessions: a window ends when no item came for so long, in milliseconds. */
  readonly gapMs?: number;
  /** Gives each key windows of its own. Default: the same for all items. */
  readonly keyBy?: (item: T, index: number) => NotPromise<K>;
  /** The time of an item, in milliseconds of any origin. Default: when it arrives, by the clock of the run. */
  readonly timeMs?: (item: T, index: number) => number;
  /**
   * How far behind the latest item one may be: windows close when an item is so much later than their end. `Infinity`
   * leaves that to watermarks of upstream. Default: 0.
   */
  readonly maxOutOfOrderMs?: number;
  /** How long a window is kept after it has closed; an item that comes meanwhile makes it go out again. Default: 0. */
  readonly allowedLatenessMs?: number;
  /**
   * How long the watermark may stand still while windows are open, by the clock of the run: then those close that end
   * before the latest item, or all of them where no item came at all. Default: without limit.
   */
  readonly idleMs?: number;
  /** What becomes of items whose windows have all closed: as `onError` has it. Default: `'skip'`, counted as dropped. */
  readonly onLate?: OnError<NoInfer<T>>;
  /**
   * What becomes of an item on which `timeMs`, `keyBy`, `fold`, `seed` or `combine` fails: `'fail'` fails the run, `'skip'`
   * leaves it out, `deadLetter(writable)` writes it to a stream, which the stage waits for. No one value could stand for
   * what all of them give, so there is no `fallback()`. Default: `'fail'`.
   */
  readonly onError?: OnError<NoInfer<T>>;
  /** The most items in windows. Without it what the stage holds has no bound. */
  readonly maxItems?: number;
  /** The most windows that are open, or closed and kept, of all keys together. Default: without limit. */
  readonly maxWindows?: number;
}

/**
 * Folds the items of a window as they come, instead of keeping them.
 *
 * @typeParam T - What comes in.
 * @typeParam A - What items are folded into.
 */
export interface WindowFold<T, A> {
  /**
   * Is given what was folded and the next item; gives both as one: with `allowedLatenessMs` a new value, since the one
   * before may have gone out.
   */
  readonly fold: (folded: A, item: T) => A;
  /** Makes what a window begins with. */
  readonly seed: () => A;
  /** Makes one of two, for sessions, which an item between them joins; required with `gapMs`. */
  readonly combine?: (earlier: A, later: A) => A;
}

/** The options as they are looked at. */
export type AnyWindowOptions = WindowOptions<never, unknown> & Partial<WindowFold<never, unknown>>;

const WHERE = 'window()';
const EVENT_TIME = ['maxOutOfOrderMs', 'allowedLatenessMs', 'idleMs', 'onLate'] as const;
const FOLD = ['seed', 'combine'] as const;

/** Refuses wrong options of `window()`. */
export function checkWindow(options: AnyWindowOptions): void {
  const own = ['name', 'sizeMs', 'slideMs', 'gapMs', 'keyBy', 'timeMs', 'fold', 'onError', 'maxItems', 'maxWindows'];
  checkOptions(WHERE, options, [...own, ...EVENT_TIME, ...FOLD]);
  checkSpans(options);
  checkTime(options);
  const { keyBy, fold, seed, combine, gapMs, maxItems, maxWindows, timeMs, onError } = options;
  if (onError !== undefined) checkOnError(WHERE, onError);
  if (onError !== undefined && timeMs === undefined && keyBy === undefined && fold === undefined)
    throw wrongType(WHERE, 'onError', onError, 'left out without timeMs, keyBy and fold, which it is about');
  if (keyBy !== undefined) checkFunction(WHERE, 'keyBy', keyBy);
  if (maxItems !== undefined) checkCount(WHERE, 'maxItems', maxItems, 1);
  if (maxWindows !== undefined) checkCount(WHERE, 'maxWindows', maxWindows, 1);
  if (fold === undefined) return refuse(options, FOLD, 'left out without fold');
  checkFunction(WHERE, 'fold', fold);
  checkFunction(WHERE, 'seed', seed);
  if (combine !== undefined || gapMs !== undefined) checkFunction(WHERE, 'combine', combine);
  refuse(options, ['maxItems'], 'left out with fold, which keeps no items');
}

function checkSpans({ sizeMs, slideMs, gapMs }: WindowOptions<never, unknown>): void {
  const what = 'more than 0 milliseconds';
  if (gapMs !== undefined) {
    checkMs(WHERE, 'gapMs', gapMs, 0);
    if (gapMs === 0) throw outOfRange(WHERE, 'gapMs', gapMs, what);
    return refuse({ sizeMs, slideMs }, ['sizeMs', 'slideMs'], 'left out with gapMs: sessions have no size');
  }
  if (sizeMs === undefined) throw wrongType(WHERE, 'sizeMs', sizeMs, 'given, or gapMs for sessions');
  checkMs(WHERE, 'sizeMs', sizeMs, 0);
  if (sizeMs === 0) throw outOfRange(WHERE, 'sizeMs', sizeMs, what);
  if (slideMs === undefined) return;
  checkMs(WHERE, 'slideMs', slideMs, 0);
  const isInside = slideMs > 0 && slideMs <= sizeMs;
  if (!isInside) throw outOfRange(WHERE, 'slideMs', slideMs, `${what}, and at most sizeMs`);
}

function checkTime(options: WindowOptions<never, unknown>): void {
  const { timeMs, maxOutOfOrderMs, allowedLatenessMs, idleMs, onLate } = options;
  if (timeMs === undefined) return refuse(options, EVENT_TIME, 'left out without timeMs');
  checkFunction(WHERE, 'timeMs', timeMs);
  if (maxOutOfOrderMs !== undefined && maxOutOfOrderMs !== Number.POSITIVE_INFINITY)
    checkMs(WHERE, 'maxOutOfOrderMs', maxOutOfOrderMs, 0);
  if (allowedLatenessMs !== undefined) checkMs(WHERE, 'allowedLatenessMs', allowedLatenessMs, 0);
  if (idleMs !== undefined) checkMs(WHERE, 'idleMs', idleMs, 0);
  if (onLate !== undefined) checkOnError(WHERE, onLate, 'onLate');
}

function refuse<O extends object>(options: O, names: ReadonlyArray<keyof O & string>, mustBe: string): void {
  for (const name of names) if (options[name] !== undefined) throw wrongType(WHERE, name, options[name], mustBe);
}
