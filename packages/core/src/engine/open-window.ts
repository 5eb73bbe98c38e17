/** Which windows an item belongs to, and what may be open. */
export interface WindowLimits {
  /** The length of a window; of a session, how long it lasts behind its last item. */
  readonly sizeMs: number;
  /** From the start of one window to that of the next; sessions have none. */
  readonly slideMs: number | undefined;
  readonly allowedLatenessMs: number;
  readonly maxItems: number;
  readonly maxWindows: number;
  /** Whether an item on which a function of the user fails is left out of all its windows. */
  readonly leavesOut: boolean;
}

/** Is told what becomes of windows. */
export interface WindowListener {
  /** One closes; it `isKept` for late items, with which it closes again. */
  closed(window: OpenWindow, isKept: boolean): void;
  /** One that had closed is kept no longer. */
  gone(window: OpenWindow): void;
}

/** One window of one key. */
export class OpenWindow {
  /** How many were opened before it: of those that end at one time the first goes first. */
  readonly order: number;
  readonly key: unknown;
  startMs: number;
  endMs: number;
  content: unknown;
  /** How many items are in this window and in none that ends later: they are let go of with it. */
  items = 0;
  /** How many of those came in an earlier run. */
  restored = 0;
  /** How often it was closed: more than once where late items are allowed. */
  closings = 0;
  /** Whether it has been closed with all that it has. */
  isClosed = false;
  isGone = false;
  /** When the queue has it: an entry for another time is out of date. */
  dueMs = 0;
  /** Until when it is kept for late items, where the queue has that. */
  keptMs: number | undefined;

  constructor(order: number, key: unknown, startMs: number, endMs: number, content: unknown) {
    this.order = order;
    this.key = key;
    this.startMs = startMs;
    this.endMs = endMs;
    this.content = content;
  }
}

/** A window as a checkpoint has it. */
export interface SavedWindow {
  readonly key: unknown;
  readonly startMs: number;
  readonly endMs: number;
  readonly content: unknown;
  readonly items: number;
  readonly closings: number;
  readonly isClosed: boolean;
}
