import { type Answer, END, type Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import { noCounts, type StageCounts } from './counts.js';
import { Hand } from './hand.js';
import { abandon, evicts, IN_HAND, type KeyedParts, type KeyedSpec, tooMany } from './keyed-parts.js';
import { addCounts, addLane, hasEnded, Lane } from './lane.js';
import type { LaneLoops } from './lane-loop.js';
import { LaneOrder } from './lane-order.js';
import { Later, whenAnswered } from './later.js';

/**
 * Gives each key a sub-pipeline of its own, and merges what they make.
 *
 * INVARIANT: while the consumer asks, every sub-pipeline is asked for an item, whatever the others do: none waits for
 * another, and each may have one item waiting when the consumer is not quick enough. Only reading waits for a full lane.
 */
export class Keyed implements Puller<unknown> {
  readonly #spec: KeyedSpec;
  readonly #parts: KeyedParts;
  /** Those that have ended stay until they are evicted: their items are dropped. */
  readonly #lanes = new Map<unknown, Lane>();
  /** Where sub-pipelines are loops. */
  #loops: LaneLoops | undefined;
  readonly #order = new LaneOrder();
  readonly #hand: Hand;
  #isAsking = false;
  /** What comes behind what is in hand. */
  #behind: Mark | Failure | typeof END | undefined;
  /** The same, once it has been let into the lanes; and how many of them have a mark still before them. */
  #passing: Mark | Failure | typeof END | undefined;
  #owing = 0;
  #watermark: Mark | undefined;
  /** How many lanes have a sub-pipeline that has not ended. */
  #open = 0;
  /** The lane that gives way to another key. */
  #leaving: Lane | undefined;
  #made: unknown[] = [];
  /** Lanes that are to be asked when what they made is handed on. */
  #unasked: Lane[] = [];
  #failure: Failure | undefined;
  #last: Failure | typeof END | undefined;
  #isClosed = false;
  #isBusy = false;
  #isTurnAsked = false;
  #isWarned = false;
  /** How many items the consumer asked for; less than 0 before it has. */
  #max = -1;
  /** The counts of the stages of lanes that are gone. */
  readonly #gone: StageCounts[];
  readonly #later = new Later<unknown>();

  constructor(spec: KeyedSpec, parts: KeyedParts) {
    this.#spec = spec;
    this.#parts = parts;
    this.#hand = new Hand(
      spec,
      parts.split,
      (failure) => this.#fail(failure),
      () => this.#goOn(),
    );
    this.#gone = Array.from({ length: parts.stages }, noCounts);
  }

  pull(max: number): Pulled<unknown> {
    if (this.#max < 0) this.#loops = this.#parts.loops();
    this.#max = max;
    return this.#work() ?? this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    this.#parts.upstream.close(reason);
    this.#hand.close();
    for (const lane of this.#lanes.values()) {
      lane.open?.root.close(reason);
      if (lane.loop !== undefined) this.#loops?.close(lane.loop);
    }
    this.#drop();
  }

  /** The counts of stage `at` of all sub-pipelines. */
  counts(at: number): StageCounts {
    const sum = { ...(this.#gone[at] as StageCounts) };
    if (this.#loops !== undefined) addCounts(sum, this.#loops.own(at));
    for (const lane of this.#lanes.values()) addLane(sum, lane, at, this.#loops);
    return sum;
  }

  #work(): Answer<unknown> | undefined {
    this.#isBusy = true;
    const answer = this.#last ?? this.#next();
    this.#isBusy = false;
    return answer;
  }

  #next(): Answer<unknown> | undefined {
    for (;;) {
      this.#askLanes();
      const isDealt = this.#deal();
      const isReady = this.#made.length > 0;
      if (this.#made.length >= this.#max || (isReady && this.#failure !== undefined)) return this.#give();
      if (this.#failure !== undefined) return this.#endWith(this.#failure);
      if (this.#last !== undefined) return this.#last;
      if (isDealt && this.#behind === undefined && !this.#isAsking && !this.#isTimeUp()) {
        this.#read();
        continue;
      }
      if (isDealt && this.#behind !== undefined) this.#startBehind(this.#behind);
      if (this.#made.length > 0) return this.#give();
      return isDealt ? this.#passBehind() : undefined;
    }
  }

  /** Hands on what the consumer asked for; the lanes that it came from may go on. */
  #give(): unknown[] {
    const { counts } = this.#parts.merge;
    const items = this.#made.length <= this.#max ? this.#made : this.#made.splice(0, this.#max);
    if (items === this.#made) this.#made = [];
    // Nothing is asked for before the next pull.
    this.#max = 0;
    counts.in += items.length;
    counts.out += items.length;
    return items;
  }

  #isTimeUp(): boolean {
    if (!spend(IN_HAND)) return this.#isTurnAsked;
    if (!this.#isTurnAsked) whenMyTurn(this.#resume);
    this.#isTurnAsked = true;
    return true;
  }

  readonly #resume = (): void => {
    this.#isTurnAsked = false;
    this.#goOn();
  };

  #read(): void {
    this.#isAsking = true;
    const pulled = this.#parts.upstream.pull(IN_HAND);
    if (isLater(pulled)) whenAnswered(pulled, this.#onAnswer);
    else this.#accept(pulled);
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#accept(answer);
    this.#goOn();
  };

  #accept(answer: Answer<unknown>): void {
    this.#isAsking = false;
    if (!Array.isArray(answer)) this.#behind ??= answer;
    else if (this.#isClosed) abandon(this.#parts.split, answer.length);
    else this.#hand.take(answer);
  }

  /** Something has moved: goes on where nobody is at it. */
  #goOn(): void {
    if (this.#isBusy || this.#isClosed) return;
    if (!this.#later.isOwed) {
      this.#isBusy = true;
      this.#deal();
      this.#isBusy = false;
      return;
    }
    const answer = this.#work();
    if (answer !== undefined) this.#later.give(answer);
  }

  /** Gives what is in hand to the lanes, as far as they have room; says whether nothing is left. */
  #deal(): boolean {
    if (this.#loops !== undefined) return this.#dealToLoops(this.#loops);
    const { counts, inside, weight } = this.#parts.split;
    const hand = this.#hand;
    while (hand.hasNext && this.#failure === undefined) {
      if (!hand.findKey()) continue;
      const item = hand.items[hand.at];
      const lane = this.#laneOf(hand.key, item);
      if (lane === undefined) break;
      if (!lane.isClosed && !lane.isWaiting && lane.isFull) break;
      hand.at++;
      counts.in++;
      if (lane.isClosed) {
        counts.dropped++;
        inside(-weight);
      } else {
        const failure = lane.add(item, counts.in - 1);
        if (failure !== undefined) this.#fail(failure);
      }
    }
    return hand.isEmpty;
  }

  /** The same, to loops, which make at once what comes of an item. */
  #dealToLoops(loops: LaneLoops): boolean {
    const { counts } = this.#parts.split;
    const [hand, made, lanes] = [this.#hand, this.#made, this.#lanes];
    const { items } = hand;
    const { key: keyOf } = this.#spec;
    if (hand.isWriting) return false;
    while (hand.at < items.length && made.length < this.#max && this.#failure === undefined) {
      const item = items[hand.at];
      let key: unknown;
      try {
        key = keyOf(item);
      } catch (thrown) {
        if (hand.orElse(thrown)) key = hand.key;
        else if (hand.isWriting || this.#isClosed) break;
        else continue;
      }
      if (this.#isClosed) break;
      let lane = lanes.get(key);
      if (lane !== undefined) this.#order.use(lane);
      else lane = this.#laneOf(key, item);
      if (lane?.loop === undefined) break;
      counts.in++;
      counts.out++;
      const failure = loops.take(lane.loop, items, hand.at++, made);
      if (failure === undefined && !this.#isClosed) continue;
      this.#follow(failure);
      if (this.#isClosed) break;
    }
    return hand.isEmpty;
  }

  /** A loop has come back: perhaps with a failure, perhaps after a function of the user has ended the run. */
  #follow(failure: Failure | undefined): void {
    if (failure !== undefined) this.#fail(failure);
    if (this.#isClosed) this.#drop();
  }

  /** Lets go of what was made. */
  #drop(): void {
    abandon(this.#parts.merge, this.#made.length);
    this.#made.length = 0;
  }

  /** The lane of an item; none where it must wait for another to end, or there may be no other. */
  #laneOf(key: unknown, item: unknown): Lane | undefined {
    const { split } = this.#parts;
    try {
      const lane = this.#lanes.get(key);
      if (lane !== undefined) this.#order.use(lane);
      else if (this.#leaving === undefined && this.#makeRoom()) return this.#openLane(key);
      return lane;
    } catch (thrown) {
      this.#failure ??= split.failure(thrown, split.counts.in, 1, item);
      return undefined;
    }
  }

  /** Whether there may be one lane more; if not, the one that was used least recently is told to end. */
  #makeRoom(): boolean {
    const { maxKeys, overflow } = this.#spec;
    if (this.#lanes.size < maxKeys) return true;
    const { name } = this.#parts.split;
    if (overflow === 'fail') throw tooMany(maxKeys);
    if (!this.#isWarned) {
      this.#isWarned = true;
      this.#parts.run.warn(evicts(name, maxKeys));
    }
    const lane = this.#order.takeOldest(() => this.#lanes.values());
    if (hasEnded(lane)) {
      this.#lanes.delete(lane.key);
      return true;
    }
    this.#leaving = lane;
    this.#end(lane);
    return this.#leaving === undefined;
  }

  #openLane(key: unknown): Lane {
    const lane = new Lane(key, this.#parts.split, this.#spec, this.#onRoom, this.#onLane);
    lane.loop = this.#loops?.open();
    if (lane.loop === undefined) lane.open = this.#parts.open(lane);
    this.#lanes.set(key, lane);
    this.#order.use(lane);
    this.#open++;
    // What windows in it go by.
    if (lane.loop !== undefined) return lane;
    if (this.#watermark !== undefined) lane.mark(this.#watermark);
    this.#ask(lane);
    return lane;
  }

  /** Nothing more comes of a key. */
  #end(lane: Lane): void {
    if (lane.loop === undefined) return lane.end();
    this.#follow(this.#loops?.flush(lane.loop, this.#made));
    this.#retire(lane);
  }

  #askLanes(): void {
    if (this.#unasked.length === 0 || this.#made.length >= this.#max) return;
    const lanes = this.#unasked;
    this.#unasked = [];
    for (const lane of lanes) this.#ask(lane);
  }

  /** Asks a sub-pipeline for items, one by one, while the consumer has room for them; then for one that may wait. */
  #ask(lane: Lane): void {
    while (!lane.isAsking && lane.open !== undefined && !this.#isClosed && this.#failure === undefined) {
      if (this.#made.length >= this.#max) {
        this.#unasked.push(lane);
        return;
      }
      lane.isAsking = true;
      const pulled = lane.open.root.pull(1);
      if (isLater(pulled)) {
        whenAnswered(pulled, lane.onAnswer);
        return;
      }
      this.#take(lane, pulled);
    }
  }

  readonly #onLane = (lane: Lane, answer: Answer<unknown>): void => {
    this.#take(lane, answer);
    this.#ask(lane);
    this.#goOn();
  };

  readonly #onRoom = (): void => {
    if (this.#hand.hasNext) this.#goOn();
  };

  #take(lane: Lane, answer: Answer<unknown>): void {
    lane.isAsking = false;
    if (Array.isArray(answer)) {
      if (this.#isClosed) abandon(this.#parts.merge, answer.length);
      else for (const item of answer) this.#made.push(item);
    } else if (answer instanceof Mark) this.#passed(lane);
    else if (answer === END) this.#retire(lane);
    // It is closed with the run: it may be in the middle of a burst that it has yet to count.
    else this.#fail(answer);
  }

  #fail(failure: Failure): void {
    if (this.#failure === undefined) this.#failure = failure;
    else if (failure.error !== this.#failure.error) this.#parts.merge.alsoFailed(failure.error);
  }

  /** A sub-pipeline has ended. */
  #retire(lane: Lane): void {
    if (hasEnded(lane) || this.#isClosed) return; // One that is being closed has yet to count what it lets go.
    lane.open?.root.close(undefined);
    lane.close();
    this.#open--;
    this.#passed(lane);
    this.#gone.forEach((sum, at) => void addLane(sum, lane, at, this.#loops));
    lane.open = undefined;
    lane.loop = undefined;
    if (lane !== this.#leaving) return;
    this.#leaving = undefined;
    this.#lanes.delete(lane.key);
  }

  #passed(lane: Lane): void {
    if (!lane.owesMark) return;
    lane.owesMark = false;
    this.#owing--;
  }

  /** Lets what comes behind all that was in hand into the lanes, once. */
  #startBehind(behind: Mark | Failure | typeof END): void {
    if (this.#passing === behind) return;
    this.#passing = behind;
    const isMark = behind instanceof Mark;
    if (!isMark && behind !== END) return this.#fail(behind);
    if (isMark && behind.kind === 'watermark') this.#watermark = behind;
    for (const lane of [...this.#lanes.values()]) {
      if (hasEnded(lane)) continue;
      if (!isMark) this.#end(lane);
      else if (lane.loop !== undefined) this.#follow(this.#loops?.flush(lane.loop, this.#made));
      else {
        lane.owesMark = true;
        this.#owing++;
        lane.mark(behind);
      }
    }
  }

  /** Gives that when it has come through all lanes. */
  #passBehind(): Answer<unknown> | undefined {
    const behind = this.#behind;
    if (this.#failure !== undefined) return this.#endWith(this.#failure);
    if (behind === END) return this.#open === 0 ? this.#endWith(END) : undefined;
    if (behind === undefined || this.#owing > 0) return undefined;
    this.#behind = undefined;
    return behind;
  }

  #endWith(last: Failure | typeof END): Failure | typeof END {
    this.#last = last;
    if (last === END) this.close(undefined);
    return last;
  }
}
