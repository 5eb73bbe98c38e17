import { type Answer, END, type Failure, type Mark, type Pulled, type Puller } from './answer.js';
import type { StageContext } from './context.js';
import { noCounts, type StageCounts } from './counts.js';
import type { LaneLoops, LaneState } from './lane-loop.js';
import { Later } from './later.js';
import { Scale, type SizeOf } from './scale.js';

/** The nodes of a sub-pipeline, once opened. */
export interface OpenLane {
  /** Their end, to pull from. */
  readonly root: Puller<unknown>;
  /** Reads the counts of each of its stages. */
  readonly readers: ReadonlyArray<() => StageCounts>;
}

/** The items of one key, from when they have been told from others to when its sub-pipeline takes them. */
export class Lane implements Puller<unknown> {
  readonly key: unknown;
  /** When it was used last, as its order counts. */
  usedAt: number = 0;
  /** Its sub-pipeline, as nodes or as a loop; neither when it has ended. */
  open: OpenLane | undefined;
  loop: LaneState | undefined;
  /** Whether its sub-pipeline takes no more items. */
  isClosed: boolean = false;
  /** Whether its sub-pipeline has been asked, and owes an answer. */
  isAsking: boolean = false;
  /** Whether it has yet to pass the mark that goes through all. */
  owesMark: boolean = false;
  readonly onAnswer: (answer: Answer<unknown>) => void;
  readonly #onRoom: (lane: Lane) => void;
  readonly #context: StageContext;
  readonly #highWaterMark: number;
  /** Weighs what waits, where items don't count as one each. */
  readonly #scale: Scale | undefined;
  #items: unknown[] = [];
  #mark: Mark | undefined;
  /** How many items are before the mark. */
  #before = 0;
  #isEnded = false;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(
    key: unknown,
    context: StageContext,
    { highWaterMark, size }: { readonly highWaterMark: number; readonly size?: SizeOf | undefined },
    onRoom: (lane: Lane) => void,
    onAnswer: (lane: Lane, answer: Answer<unknown>) => void,
  ) {
    this.key = key;
    this.#context = context;
    this.#highWaterMark = highWaterMark;
    this.#scale = size === undefined ? undefined : new Scale(size);
    this.#onRoom = onRoom;
    this.onAnswer = (answer) => onAnswer(this, answer);
  }

  /** Whether no more items may wait. */
  get isFull(): boolean {
    return (this.#scale?.total ?? this.#items.length) >= this.#highWaterMark;
  }

  /** Whether an item that comes now does not have to wait. */
  get isWaiting(): boolean {
    return this.#later.isOwed;
  }

  pull(max: number): Pulled<unknown> {
    this.#max = max;
    const answer = this.#take();
    if (answer === undefined) return this.#later.owe();
    if (Array.isArray(answer)) this.#onRoom(this);
    return answer;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#abandon(this.#items.splice(0).length);
    this.#mark = undefined;
    this.#later.give(END);
  }

  /** Hands an item on, or lets it wait; gives a failure where one that is to wait can't be weighed. */
  add(item: unknown, index: number): Failure | undefined {
    if (this.#later.isOwed) {
      this.#context.counts.out++;
      this.#later.give([item]);
      return undefined;
    }
    try {
      this.#scale?.add(this.#scale.weigh(item));
    } catch (error) {
      this.#abandon(1);
      return this.#context.failure(error, index, 1, item);
    }
    // The function may have ended the run.
    if (this.isClosed) this.#abandon(1);
    else this.#items.push(item);
    return undefined;
  }

  #abandon(items: number): void {
    const { counts, weight } = this.#context;
    counts.abandoned += items;
    if (items > 0) this.#context.inside(-items * weight);
  }

  mark(mark: Mark): void {
    this.#mark = mark;
    this.#before = this.#items.length;
    this.#give();
  }

  /** Nothing more comes. */
  end(): void {
    this.#isEnded = true;
    this.#give();
  }

  #give(): void {
    if (!this.#later.isOwed) return;
    const answer = this.#take();
    if (answer !== undefined) this.#later.give(answer);
  }

  #take(): Answer<unknown> | undefined {
    if (this.isClosed) return END;
    const mark = this.#mark;
    if (mark !== undefined && this.#before === 0) {
      this.#mark = undefined;
      return mark;
    }
    if (this.#items.length === 0) return this.#isEnded ? END : undefined;
    const items = this.#items.splice(0, mark === undefined ? this.#max : Math.min(this.#max, this.#before));
    this.#before = Math.max(0, this.#before - items.length);
    this.#scale?.remove(items.length);
    this.#context.counts.out += items.length;
    return items;
  }
}

/** Whether the sub-pipeline of a lane has ended. */
export function hasEnded({ open, loop }: Lane): boolean {
  return open === undefined && loop === undefined;
}

/** Adds the counts of stage `at` of the sub-pipeline of one key. */
export function addLane(sum: StageCounts, { open, loop }: Lane, at: number, loops: LaneLoops | undefined): void {
  if (open !== undefined) addCounts(sum, (open.readers[at] as () => StageCounts)());
  else if (loop !== undefined && loops !== undefined) addCounts(sum, loops.counts(loop, at));
}

/** Adds counts to others. */
export function addCounts(to: StageCounts, from: StageCounts): StageCounts {
  for (const key of KEYS) to[key] += from[key];
  return to;
}

const KEYS = Object.keys(noCounts()) as ReadonlyArray<keyof StageCounts>;
