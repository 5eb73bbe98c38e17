import type { FailedItem } from '@millrace/core';
import {
  type Answer,
  carryOn,
  END,
  type Failure,
  Given,
  isLater,
  Later,
  Mark,
  type Pulled,
  type Puller,
  plain,
  type Rejects,
  type StageContext,
  spend,
  whenAnswered,
  whenMyTurn,
  within,
} from '@millrace/core/authoring';
import { type Entry, type LookupSettings, Lookups } from './lookups.js';
import type { LookupKey } from './select-by.js';

/** The user's functions. */
export interface EnrichFunctions {
  readonly key: (item: unknown) => LookupKey;
  readonly into: (item: unknown, row: unknown) => unknown;
  readonly fallback: ((item: unknown, error: unknown, context: FailedItem) => unknown) | undefined;
}

/** The same for items that carry their origins: they are called in their contexts, and what comes out carries on. */
export function carried({ key, into, fallback }: EnrichFunctions): EnrichFunctions {
  return {
    key: (item) => within(item, () => key(plain(item))),
    into: (item, row) =>
      carryOn(
        item,
        within(item, () => into(plain(item), row)),
      ),
    fallback: fallback && ((item, error, context) => within(item, () => fallback(plain(item), error, context))),
  };
}

/** An item in service. */
interface Slot {
  readonly item: unknown;
  readonly index: number;
  /** What is known of its key, or what `key` threw. */
  readonly entry: Entry | { readonly state: 'without key'; readonly error: unknown };
}

/** Takes items, has their keys looked up in batches, and hands each on with its row. */
export class EnrichStage implements Puller<unknown> {
  readonly #functions: EnrichFunctions;
  readonly #ordered: boolean;
  readonly #capacity: number;
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #lookups: Lookups;
  readonly #rejects: Rejects<unknown, Given>;
  /** In the order in which they are handed on: of their items, or (unordered) of their rows. */
  #queue: Slot[] = [];
  #head = 0;
  /** Unordered: the items of each entry that is asked for. */
  readonly #waiting = new Map<Entry, Slot[]>();
  #waitingItems = 0;
  #isAsking = false;
  /** Whether the letter of an item is being written, or its fallback promised, which has left the queue. */
  #isWriting = false;
  /** What was given for an item that has left the queue; goes on next. */
  #given: Given | undefined;
  /** How many items were dealt with otherwise since more were asked for. */
  #lost = 0;
  #isClosed = false;
  #behind: Mark | Failure | typeof END | undefined;
  #last: Failure | typeof END | undefined;
  /** Of an item that was to be handed on: goes behind those before it. */
  #failure: Failure | undefined;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(
    functions: EnrichFunctions,
    ordered: boolean,
    settings: LookupSettings,
    upstream: Puller<unknown>,
    context: StageContext,
    rejects: Rejects<unknown, Given>,
  ) {
    this.#functions = functions;
    this.#rejects = rejects;
    this.#ordered = ordered;
    this.#capacity = settings.maxBatch * settings.inFlight;
    this.#upstream = upstream;
    this.#context = context;
    this.#lookups = new Lookups(settings, context, (entries) => this.#onSettled(entries));
  }

  pull(max: number): Pulled<unknown> {
    if (this.#last !== undefined) return this.#last;
    this.#max = max;
    if (this.#isDue()) this.#pump();
    const answer = this.#take();
    if (answer !== undefined) return answer;
    return this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#upstream.close(reason);
    this.#rejects.close();
    this.#last ??= END;
    this.#abandon(this.#inService());
    this.#queue = [];
    this.#head = 0;
    this.#waiting.clear();
    this.#waitingItems = 0;
    this.#context.closing(this.#lookups.close());
  }

  /**
   * Whether to ask for more: where nothing is ready, or a quarter of the room is free.
   *
   * PERF: before a consumer that takes one item at a time (a batch) 5 times as fast as asking whenever one has left.
   */
  #isDue(): boolean {
    const slot = this.#queue[this.#head];
    if (slot === undefined || slot.entry.state === 'asked') return true;
    return (this.#capacity - this.#inService()) * 4 >= this.#capacity;
  }

  #inService(): number {
    const apart = this.#isWriting || this.#given !== undefined ? 1 : 0;
    return this.#queue.length - this.#head + this.#waitingItems + apart;
  }

  /** Takes all there is room and input for, then has the new keys asked for: never waits for a batch to fill. */
  #pump(): void {
    while (!this.#isAsking && !this.#isClosed && this.#behind === undefined && this.#failure === undefined) {
      const free = this.#capacity - this.#inService();
      if (free <= 0) break;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(free);
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        break;
      }
      this.#isAsking = false;
      this.#accept(pulled);
    }
    if (!this.#isClosed) this.#lookups.send();
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    this.#pump();
    this.#hand();
  };

  #accept(answer: Answer<unknown>): void {
    if (!Array.isArray(answer)) {
      this.#behind = answer;
      return;
    }
    const { counts, clock } = this.#context;
    const nowMs = clock.now();
    for (let at = 0; at < answer.length; at++) {
      if (this.#isClosed || this.#behind !== undefined || this.#failure !== undefined) {
        counts.in += answer.length - at;
        this.#abandon(answer.length - at);
        return;
      }
      this.#enter(answer[at], nowMs);
    }
  }

  #enter(item: unknown, nowMs: number): void {
    const index = this.#context.enteredBefore + this.#context.counts.in++;
    let entry: Entry;
    try {
      entry = this.#lookups.of(this.#functions.key(item), nowMs, item, index);
    } catch (error) {
      const slot: Slot = { item, index, entry: { state: 'without key', error } };
      if (this.#isClosed) this.#reject(error, slot);
      else this.#queue.push(slot);
      return;
    }
    // `key` may have ended the run.
    if (this.#isClosed) return this.#abandon(1);
    const slot = { item, index, entry };
    if (entry.state === 'asked') entry.items++;
    if (this.#ordered || entry.state !== 'asked') {
      this.#queue.push(slot);
      return;
    }
    const others = this.#waiting.get(entry);
    if (others === undefined) this.#waiting.set(entry, [slot]);
    else others.push(slot);
    this.#waitingItems++;
  }

  #onSettled(entries: readonly Entry[]): void {
    if (this.#isClosed) return;
    if (!this.#ordered) {
      for (const entry of entries) {
        const slots = this.#waiting.get(entry) ?? [];
        this.#waiting.delete(entry);
        this.#waitingItems -= slots.length;
        for (const slot of slots) this.#queue.push(slot);
      }
    }
    this.#hand();
  }

  readonly #goOn = (): void => {
    if (!this.#isClosed) this.#hand();
  };

  #hand(): void {
    if (!this.#later.isOwed) return;
    const answer = this.#take();
    if (answer === undefined) return;
    this.#later.give(answer);
  }

  #take(): Answer<unknown> | undefined {
    if (this.#last !== undefined) return this.#last;
    let items = this.#finished();
    for (; items.length === 0 && this.#lost > 0; items = this.#finished()) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#pump();
      // Where nothing is left of all that comes, this is a loop that never ends.
      if (spend(lost)) return void whenMyTurn(this.#goOn);
    }
    if (items.length > 0) {
      this.#context.counts.out += items.length;
      if (this.#isDue()) this.#pump();
      return items;
    }
    if (this.#failure !== undefined) {
      this.#last = this.#failure;
      return this.#last;
    }
    if (this.#behind === undefined || this.#inService() > 0) return undefined;
    const behind = this.#behind;
    if (behind instanceof Mark) this.#behind = undefined;
    else this.#last = behind;
    return behind;
  }

  /** Up to as many results as were asked for. */
  #finished(): unknown[] {
    const items: unknown[] = [];
    while (items.length < this.#max && this.#failure === undefined && !this.#isWriting) {
      const given = this.#given;
      if (given !== undefined) {
        this.#given = undefined;
        items.push(given.value);
        continue;
      }
      const slot = this.#queue[this.#head];
      if (slot === undefined || slot.entry.state === 'asked') break;
      this.#head++;
      try {
        items.push(this.#resultOf(slot));
      } catch (error) {
        this.#reject(error, slot);
      }
    }
    if (this.#head === this.#queue.length || this.#head >= 4096) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return items;
  }

  #reject(error: unknown, { item, index, entry }: Slot): void {
    const attempts = entry.state === 'failed' || entry.state === 'fatal' ? entry.attempts : 1;
    if (this.#isClosed) {
      this.#abandon(1);
      return this.#context.alsoFailed(this.#context.failure(error, index, attempts, item).error);
    }
    if (entry.state === 'fatal') return this.#dealtWith(this.#context.failure(error, index, attempts, item));
    const taken = this.#rejects.take(error, index, item, attempts);
    if (!(taken instanceof Promise)) return this.#dealtWith(taken);
    this.#isWriting = true;
    taken.then((outcome) => {
      if (this.#isClosed) return;
      this.#isWriting = false;
      this.#dealtWith(outcome);
      this.#hand();
    });
  }

  #dealtWith(outcome: Failure | Given | undefined): void {
    if (outcome === undefined) {
      this.#lost++;
      return this.#context.inside(-this.#context.weight);
    }
    if (outcome instanceof Given) {
      this.#given = outcome;
      return;
    }
    this.#abandon(1);
    this.#failure = outcome;
  }

  #resultOf({ item, index, entry }: Slot): unknown {
    const { into, fallback } = this.#functions;
    if (entry.state === 'without key' || entry.state === 'fatal') throw entry.error;
    if (entry.state === 'found') return into(item, entry.row);
    if (fallback !== undefined) {
      const told = { stage: this.#context.name, index, attempts: entry.attempts };
      return into(item, fallback(item, entry.error, told));
    }
    if (entry.state === 'failed') throw entry.error;
    return into(item, undefined);
  }

  #abandon(items: number): void {
    this.#context.counts.abandoned += items;
    this.#context.inside(-items * this.#context.weight);
  }
}
