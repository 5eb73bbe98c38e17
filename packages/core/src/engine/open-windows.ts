import { PipelineError } from '../errors.js';
import { DueQueue } from './due-queue.js';
import { OpenWindow, type SavedWindow, type WindowLimits, type WindowListener } from './open-window.js';
import type { WindowContent } from './window-content.js';

/** The windows that are open, or closed and kept for late items. */
export class OpenWindows {
  readonly #limits: WindowLimits;
  /** Whether windows begin at fixed times; else they are sessions. */
  readonly #isGrid: boolean;
  /** Whether an item belongs to one window alone. */
  readonly #isSingle: boolean;
  readonly #fold: WindowContent['add'];
  readonly #maxItems: number;
  /** How long a session lasts behind its last item; windows of a grid do not grow. */
  readonly #growsMs: number;
  readonly #content: WindowContent;
  /** Whether the content is the array of items. */
  readonly #holds: boolean;
  readonly #to: WindowListener;
  /** INVARIANT: the windows of a key by their start, earliest first. Sessions do not overlap. */
  readonly #byKey = new Map<unknown, OpenWindow[]>();
  // PERF: looking up the key costs more than all else, where there is only one (core/window).
  #lastKey: unknown;
  #lastList: OpenWindow[] | undefined;
  /** The windows of the last item, latest first, where it has no key and all are open: those of all items of a span. */
  #same: OpenWindow[] = [];
  sameFromMs = 0;
  sameToMs = 0;
  /** Whether an item on which a function of the user fails is left out of all its windows, and the run goes on. */
  readonly isCareful: boolean;
  readonly #queue = new DueQueue<OpenWindow>();
  #opened = 0;
  #windows = 0;
  #items = 0;
  #overflow: PipelineError | undefined;

  constructor(limits: WindowLimits, content: WindowContent, holds: boolean, to: WindowListener) {
    this.#holds = holds;
    this.#fold = content.add;
    const { sizeMs, slideMs, leavesOut } = limits;
    this.#limits = limits;
    this.isCareful = leavesOut && !holds;
    this.#isGrid = slideMs !== undefined;
    this.#isSingle = slideMs === undefined || slideMs === sizeMs;
    this.#maxItems = limits.maxItems;
    this.#growsMs = limits.slideMs === undefined ? limits.sizeMs : Number.NEGATIVE_INFINITY;
    this.#content = content;
    this.#to = to;
  }

  /** Whether an error is about the limits of what may be open, and not of a function of the user. */
  isOverflow(error: unknown): boolean {
    return error !== undefined && error === this.#overflow;
  }

  get isEmpty(): boolean {
    return this.#windows === 0;
  }

  /** How many items are in windows. */
  get items(): number {
    return this.#items;
  }

  /** How many more there may be. */
  get room(): number {
    return this.#maxItems - this.#items;
  }

  /** When the next window ends, or is let go of; it may be later than that. */
  get nextMs(): number {
    return this.#queue.nextMs;
  }

  /** The end of the last window. */
  get lastMs(): number {
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const list of this.#byKey.values()) for (const { endMs } of list) lastMs = Math.max(lastMs, endMs);
    return lastMs;
  }

  /**
   * Puts an item into its windows, those that have closed and are kept among them, and opens those that there are not yet:
   * `closeUntil()` then closes what has ended. Says whether there was one that is not gone. Where a function of the user
   * fails it is in none of them, and all are as they were.
   */
  add(key: unknown, timeMs: number, item: unknown, watermarkMs: number): boolean {
    const { sizeMs, slideMs, maxItems } = this.#limits;
    const list = this.#listOf(key);
    const endMs = slideMs === undefined ? timeMs + sizeMs : this.#endOf(stepOf(timeMs, slideMs));
    if (this.#isLate(list, timeMs, endMs, watermarkMs)) {
      if (list.length === 0) this.#forget(key);
      return false;
    }
    if (this.#items >= maxItems) throw this.#full('keep the item', `${maxItems} items are in open windows`, 'maxItems');
    const window = this.#isGrid
      ? this.#addToGrid(list, key, timeMs, item, watermarkMs)
      : this.#addToSession(list, key, timeMs, item);
    this.#count(window);
    if (window.isClosed) this.#reopen(window);
    return true;
  }

  /** Puts a part of a burst into the windows of the item before, where no function of the user is called for that. */
  addAllToSame(items: readonly unknown[], from: number, to: number): boolean {
    const same = this.#same;
    if (!this.#holds) return false;
    for (let each = 0; each < same.length; each++) {
      const content = (same[each] as OpenWindow).content as unknown[];
      for (let at = from; at < to; at++) content.push(items[at]);
    }
    this.#count(same[0] as OpenWindow, to - from);
    return true;
  }

  /** Puts an item into the windows of the one before: most go this way, without a search. */
  addToSame(item: unknown): void {
    const same = this.#same;
    // Not as a method: a function of the user must not see an object as its `this`.
    const fold = this.#fold;
    if (same.length > 1 && this.isCareful) this.#addToAll(same, item);
    else
      for (let at = 0; at < same.length; at++) {
        const window = same[at] as OpenWindow;
        window.content = fold(window.content, item);
      }
    this.#count(same[0] as OpenWindow);
  }

  /** Puts an item into the last window of its key, where it belongs to that alone; says whether it does. */
  addToLast(key: unknown, timeMs: number, item: unknown): boolean {
    if (!this.#isSingle || this.#items >= this.#maxItems) return false;
    const list = this.#listOf(key);
    const window = list[list.length - 1];
    if (window === undefined || window.isClosed || timeMs < window.startMs || timeMs >= window.endMs) return false;
    if (this.#holds) (window.content as unknown[]).push(item);
    else {
      const fold = this.#fold;
      window.content = fold(window.content, item);
    }
    const endMs = timeMs + this.#growsMs;
    if (endMs > window.endMs) window.endMs = endMs;
    this.#count(window);
    if (key === undefined && this.#isGrid) this.#remember([window], window.startMs, window.endMs);
    return true;
  }

  /** Closes what ends by then, earliest first, and lets go of what has been kept long enough. */
  closeUntil(watermarkMs: number): void {
    const { allowedLatenessMs } = this.#limits;
    while (this.#queue.nextMs <= watermarkMs) {
      const dueMs = this.#queue.nextMs;
      const window = this.#queue.take() as OpenWindow;
      if (window.isGone || window.dueMs !== dueMs) continue;
      const untilMs = window.isClosed ? window.endMs + allowedLatenessMs : window.endMs;
      // A session that has grown since it was put there.
      if (untilMs > dueMs) this.#schedule(window, untilMs);
      else if (window.isClosed) this.#remove(window);
      else if (window.endMs + allowedLatenessMs <= watermarkMs) this.#remove(window);
      else this.#keep(window);
    }
  }

  /** Closes all that are open, whenever they end, and lets go of all. */
  closeAll(): void {
    const all = [...this.#byKey.values()].flat();
    for (const window of all.sort((a, b) => a.endMs - b.endMs || a.order - b.order)) this.#remove(window);
    this.clear();
  }

  /** Forgets all. */
  clear(): void {
    this.#queue.clear();
    this.#byKey.clear();
    this.#lastList = undefined;
    this.#remember([], 0, 0);
    this.#windows = 0;
    this.#items = 0;
  }

  /** What a checkpoint keeps, in the order in which they were opened. */
  save(): SavedWindow[] {
    const all = [...this.#byKey.values()].flat().sort((a, b) => a.order - b.order);
    return all.map(({ key, startMs, endMs, content, items, closings, isClosed }) => {
      return { key, startMs, endMs, content, items, closings, isClosed };
    });
  }

  restore(windows: readonly SavedWindow[]): void {
    for (const { key, startMs, endMs, content, items, closings, isClosed } of windows) {
      const window = new OpenWindow(this.#opened++, key, startMs, endMs, content);
      Object.assign(window, { items, restored: items, closings, isClosed });
      insert(this.#listOf(key), window);
      this.#windows++;
      this.#items += items;
      this.#schedule(window, isClosed ? endMs + this.#limits.allowedLatenessMs : endMs);
    }
  }

  /** Whether all windows of an item are gone, where `endMs` is the end of the last of them, or of a session of its own. */
  #isLate(list: readonly OpenWindow[], timeMs: number, endMs: number, watermarkMs: number): boolean {
    const { slideMs, sizeMs, allowedLatenessMs } = this.#limits;
    if (endMs + allowedLatenessMs > watermarkMs) return false;
    return slideMs !== undefined || !list.some((window) => isNear(window, timeMs, timeMs + sizeMs));
  }

  /** Nothing has changed before the last call of the user's function has come back. */
  #addToAll(windows: readonly OpenWindow[], item: unknown): void {
    const fold = this.#fold;
    const contents = windows.map(({ content }) => fold(content, item));
    for (const [at, window] of windows.entries()) window.content = contents[at];
  }

  #count(window: OpenWindow, items = 1): void {
    window.items += items;
    this.#items += items;
  }

  /** Adds an item to all windows of the grid that are not gone; gives the last of them. */
  #addToGrid(list: OpenWindow[], key: unknown, timeMs: number, item: unknown, watermarkMs: number): OpenWindow {
    const { allowedLatenessMs } = this.#limits;
    const slideMs = this.#limits.slideMs as number;
    const fold = this.#fold;
    const latest = stepOf(timeMs, slideMs);
    const found: Array<OpenWindow | undefined> = [];
    let step = latest;
    for (let at = list.length - 1; ; step--) {
      const startMs = step * slideMs;
      const endMs = this.#endOf(step);
      if (step < latest && (endMs <= timeMs || endMs + allowedLatenessMs <= watermarkMs)) break;
      while (at >= 0 && (list[at] as OpenWindow).startMs > startMs) at--;
      found.push(list[at]?.startMs === startMs ? list[at] : undefined);
    }
    // Nothing has changed before the last call of the user's function has come back.
    const contents = found.map((window) => fold(this.#contentOf(window), item));
    const windows = found.map((window, at) => {
      if (window === undefined) return this.#openAt(list, key, latest - at, contents[at]);
      window.content = contents[at];
      return window;
    });
    if (key === undefined && !windows.some(({ isClosed }) => isClosed)) {
      const fromMs = Math.max(latest * slideMs, this.#endOf(step));
      this.#remember(windows, fromMs, Math.min((latest + 1) * slideMs, this.#endOf(step + 1)));
    }
    for (let at = 1; at < windows.length; at++) {
      const window = windows[at] as OpenWindow;
      if (window.isClosed) this.#reopen(window);
    }
    return windows[0] as OpenWindow;
  }

  /** When a window of the grid ends: where they do not overlap, when the next one begins, whatever a sum is rounded to. */
  #endOf(step: number): number {
    const { sizeMs, slideMs = sizeMs } = this.#limits;
    return this.#isSingle ? (step + 1) * slideMs : step * slideMs + sizeMs;
  }

  #openAt(list: OpenWindow[], key: unknown, step: number, content: unknown): OpenWindow {
    const window = this.#open(key, step * (this.#limits.slideMs as number), this.#endOf(step), content);
    insert(list, window);
    return window;
  }

  #contentOf(window: OpenWindow | undefined): unknown {
    const { open } = this.#content;
    return window === undefined ? open() : window.content;
  }

  /** Adds an item to the session that it is near to, which may join sessions; or begins one. */
  #addToSession(list: OpenWindow[], key: unknown, timeMs: number, item: unknown): OpenWindow {
    const endMs = timeMs + this.#limits.sizeMs;
    const fold = this.#fold;
    const near = list.filter((window) => isNear(window, timeMs, endMs));
    const [session, ...others] = near;
    if (session === undefined) {
      const window = this.#open(key, timeMs, endMs, fold(this.#contentOf(undefined), item));
      insert(list, window);
      return window;
    }
    const { combine } = this.#content;
    const all = others.reduce((content, other) => combine(content, other.content), session.content);
    // Nothing has changed before the last function of the user has come back.
    session.content = fold(all, item);
    for (const other of others) this.#join(session, other);
    list.splice(list.indexOf(session) + 1, others.length);
    session.startMs = Math.min(session.startMs, timeMs);
    session.endMs = Math.max(session.endMs, endMs);
    // One that was kept for late items, and has joined one that is open, ends with that.
    if (!session.isClosed && session.dueMs > session.endMs) this.#schedule(session, session.endMs);
    return session;
  }

  #join(session: OpenWindow, next: OpenWindow): void {
    session.endMs = Math.max(session.endMs, next.endMs);
    session.items += next.items;
    session.restored += next.restored;
    session.closings = Math.max(session.closings, next.closings);
    // What is closed with one part is not with the other.
    if (!next.isClosed) session.isClosed = false;
    next.isGone = true;
    this.#windows--;
  }

  #open(key: unknown, startMs: number, endMs: number, content: unknown): OpenWindow {
    const { maxWindows } = this.#limits;
    if (this.#windows >= maxWindows) throw this.#full('open a window', `${maxWindows} are open`, 'maxWindows');
    const window = new OpenWindow(this.#opened++, key, startMs, endMs, content);
    this.#windows++;
    this.#schedule(window, endMs);
    return window;
  }

  /** A window that has closed has a late item: it closes once more, where it has ended at once. */
  #reopen(window: OpenWindow): void {
    window.isClosed = false;
    this.#schedule(window, window.endMs);
  }

  #keep(window: OpenWindow): void {
    this.#remember([], 0, 0);
    const untilMs = window.endMs + this.#limits.allowedLatenessMs;
    window.isClosed = true;
    if (window.keptMs === untilMs) window.dueMs = untilMs;
    else this.#schedule(window, untilMs);
    window.keptMs = untilMs;
    this.#to.closed(window, true);
    window.closings++;
  }

  #remove(window: OpenWindow): void {
    this.#remember([], 0, 0);
    window.isGone = true;
    this.#windows--;
    this.#items -= window.items;
    const list = this.#byKey.get(window.key) as OpenWindow[];
    if (list.length > 1) list.splice(list.indexOf(window), 1);
    else this.#forget(window.key);
    if (window.isClosed) this.#to.gone(window);
    else this.#to.closed(window, false);
  }

  #full(what: string, is: string, limit: string): PipelineError {
    const message = `Cannot ${what}: ${is} already (must be fewer: see ${limit})`;
    this.#overflow = new PipelineError('ERR_CORE_WINDOW', message);
    return this.#overflow;
  }

  /** Forgets a key that has no window: an item with it failed before one was opened. */
  tidy(): void {
    if (this.#lastList?.length === 0) this.#forget(this.#lastKey);
  }

  #forget(key: unknown): void {
    this.#byKey.delete(key);
    this.#lastList = undefined;
  }

  #remember(same: OpenWindow[], fromMs: number, toMs: number): void {
    this.#same = same;
    this.sameFromMs = fromMs;
    this.sameToMs = toMs;
  }

  #schedule(window: OpenWindow, dueMs: number): void {
    window.dueMs = dueMs;
    this.#queue.add(dueMs, window.order, window);
  }

  #listOf(key: unknown): OpenWindow[] {
    if (this.#lastList !== undefined && Object.is(key, this.#lastKey)) return this.#lastList;
    let list = this.#byKey.get(key);
    if (list === undefined) {
      list = [];
      this.#byKey.set(key, list);
    }
    this.#lastKey = key;
    this.#lastList = list;
    return list;
  }
}

/** The number of the span of a grid that a time is in: exactly, whatever a division rounds to. */
function stepOf(timeMs: number, slideMs: number): number {
  const step = Math.floor(timeMs / slideMs);
  return step * slideMs > timeMs ? step - 1 : (step + 1) * slideMs <= timeMs ? step + 1 : step;
}

/** Puts a window where its start belongs. */
function insert(list: OpenWindow[], window: OpenWindow): void {
  const behind = list.findIndex(({ startMs }) => startMs > window.startMs);
  list.splice(behind < 0 ? list.length : behind, 0, window);
}

/** Whether an item that lasts from one time to another belongs to a session, or is to be joined with it. */
function isNear(window: OpenWindow, fromMs: number, toMs: number): boolean {
  return window.startMs < toMs && fromMs < window.endMs;
}
