import type { Timer } from '../clock.js';
import type { Answer, Puller } from './answer.js';
import type { StageContext } from './context.js';
import { ReadAhead } from './read-ahead.js';
import { roomFor } from './spec.js';

/** Says of each item when it is due to be handed on, if no other one replaces it before. */
export interface Pace {
  /** When an item that comes at `nowMs` is due: in time, or `nowMs` for at once; `undefined` where it is dropped. */
  dueMs(nowMs: number): number | undefined;
  /** The item that was held is handed on, or would be were the consumer not busy. */
  handed?(nowMs: number): void;
}

const NONE: unique symbol = Symbol('none');

/** How many items it reads at once. */
const burstOf = roomFor(64);

/** Hands on the latest item, when its pace says that it is due; what is replaced before is dropped. */
export class Latest extends ReadAhead {
  readonly #pace: Pace;
  readonly #burst: number;
  /** Waits for its time. */
  #held: unknown = NONE;
  #heldDueMs = 0;
  /** Waits for the consumer. */
  #due: unknown = NONE;
  #timer: Timer | undefined;

  /** How many items are inside at most: one that is held, one that is due, and the burst that is looked at. */
  static inService(weight: number): number {
    return 2 + burstOf(weight);
  }

  constructor(upstream: Puller<unknown>, context: StageContext, pace: Pace) {
    super(upstream, context);
    this.#pace = pace;
    this.#burst = burstOf(context.weight);
  }

  protected room(): number {
    return this.#burst;
  }

  protected add(items: unknown[]): void {
    const nowMs = this.context.clock.now();
    // The timer may be late: the loop of a source that has all items at hand comes first.
    if (this.#held !== NONE && this.#heldDueMs <= nowMs) this.#ripen(nowMs);
    for (const item of items) {
      const dueMs = this.#pace.dueMs(nowMs);
      if (dueMs === undefined || this.#held !== NONE) this.drop(1);
      if (dueMs === undefined) continue;
      this.#held = item;
      this.#heldDueMs = dueMs;
      if (dueMs <= nowMs) this.#ripen(nowMs);
    }
    // PERF: a time that moves on does not move the timer, which looks again when it goes off.
    if (this.#held !== NONE && this.#timer === undefined) this.#startTimer(nowMs);
  }

  protected next(): Answer<unknown> | undefined {
    if (this.#due === NONE && this.behind !== undefined && this.#held !== NONE) this.#ripen(this.context.clock.now());
    if (this.#due === NONE) return this.passOn();
    const item = this.#due;
    this.#due = NONE;
    return [item];
  }

  protected clear(): number {
    this.#stopTimer();
    const items = (this.#held === NONE ? 0 : 1) + (this.#due === NONE ? 0 : 1);
    this.#held = this.#due = NONE;
    return items;
  }

  /** The time of the item that is held has come: it goes on, or takes the place of one that still waits for the consumer. */
  #ripen(nowMs: number): void {
    this.#stopTimer();
    if (this.#due !== NONE) this.drop(1);
    this.#due = this.#held;
    this.#held = NONE;
    this.#pace.handed?.(nowMs);
  }

  #startTimer(nowMs: number): void {
    this.#timer = this.context.clock.setTimer(() => {
      this.#timer = undefined;
      const now = this.context.clock.now();
      if (this.#heldDueMs > now) return this.#startTimer(now);
      this.#ripen(now);
      this.hand();
    }, this.#heldDueMs - nowMs);
  }

  #stopTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }
}
