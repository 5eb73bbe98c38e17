import { carryOn, plain } from './carried.js';
import type { OpenWindow, WindowLimits } from './open-window.js';
import type { OnError } from './rejects.js';

/** What a stage of windows is, apart from its run. */
export interface WindowsOptions {
  readonly limits: WindowLimits;
  readonly keyOf: ((item: unknown, index: number) => unknown) | undefined;
  readonly content: WindowContent;
  /** Whether windows hold their items until they close; else an item ends where it is folded. */
  readonly holds: boolean;
  /** Makes what goes out; what `isKept` goes on growing. */
  output(window: OpenWindow, content: unknown, isKept: boolean): unknown;
  /** What becomes of late items, and of those on which a function fails. */
  readonly onLate: OnError<never>;
  readonly onError: OnError<never>;
}

/** What a window makes of its items. */
export interface WindowContent {
  readonly open: () => unknown;
  readonly add: (content: unknown, item: unknown) => unknown;
  /** Makes one of the contents of two sessions that an item joins. */
  readonly combine: (earlier: unknown, later: unknown) => unknown;
}

/** The same of items that carry their origins: what they are made into carries that of the one that came last. */
export function carryingContent({ open, add, combine }: WindowContent): WindowContent {
  return {
    open,
    add: (content, item) => carryOn(item, add(plain(content), plain(item))),
    combine: (earlier, later) => carryOn(later, combine(plain(earlier), plain(later))),
  };
}
