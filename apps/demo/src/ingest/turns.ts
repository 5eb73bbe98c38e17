import type { Pipeline } from '@millrace/core';
import { type StageContext, source } from '@millrace/core/authoring';
import type { FlightRows } from '../flights.js';
import type { RejectArchive, RejectedRecord } from '../reject-archive.js';

/** The name of the source that clients feed. */
export const INGEST = 'ingest';

/** A group that a client holds out until the pipeline takes it. */
interface Offer {
  readonly rows: FlightRows;
  settle(taken: number): void;
}

/**
 * Hands groups of flights from any number of clients to one run, each client in its turn: a client offers one group at a
 * time and waits, so that clients take turns, and nothing is held between them and the pipeline.
 */
export class Turns {
  /** Resolves when the run is there to take something, or never will be. */
  readonly opened: Promise<void>;
  #left: number;
  #context: StageContext | undefined;
  #open: () => void = () => {};
  #read: { resolve(groups: readonly FlightRows[] | undefined): void; reject(error: unknown): void } | undefined;
  #archive: Pick<RejectArchive, 'keep'> | undefined;
  #failure: { readonly error: unknown } | undefined;
  readonly #offers: Offer[] = [];
  readonly #closing = new AbortController();

  /** @param limit - Flights to take; `undefined` for no end. */
  constructor(limit: number | undefined) {
    this.#left = limit ?? Number.POSITIVE_INFINITY;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /**
   * What the clients offer; for one run.
   *
   * @param archive - Takes the records that are no flights.
   */
  rows(archive: Pick<RejectArchive, 'keep'>): Pipeline<FlightRows> {
    return source<FlightRows>({
      name: INGEST,
      open: (context) => {
        this.#context = context;
        this.#archive = archive;
        this.#open();
        const end = (): void => this.#answer(undefined);
        return { read: () => this.#take(), drain: end, close: () => this.close() };
      },
    });
  }

  /** Aborts when nothing more is taken. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Waits until the pipeline has taken a group.
   *
   * @returns How many of its flights were taken, from its beginning: fewer than all only where nothing more ever is.
   */
  offer(rows: FlightRows): Promise<number> {
    if (this.closed.aborted) return Promise.resolve(0);
    return new Promise((settle) => {
      this.#offers.push({ rows, settle });
      if (this.#read !== undefined) this.#answer(this.#next());
    });
  }

  /**
   * Puts a record aside that is no flight, and waits where the archive is slow. Where that fails, so does the run.
   *
   * @returns Whether it was: not where nothing more is taken.
   */
  async reject(record: RejectedRecord): Promise<boolean> {
    const counts = this.#context?.counts;
    if (counts === undefined || this.closed.aborted) return false;
    counts.made++;
    counts.deadLettered++;
    try {
      await this.#archive?.keep(record);
    } catch (error) {
      this.#failure ??= { error };
      const read = this.#read;
      this.#read = undefined;
      read?.reject(error);
    }
    return true;
  }

  /** Takes nothing more, and says so to those who wait. */
  close(): void {
    if (this.closed.aborted) return;
    this.#closing.abort();
    this.#open();
    for (const { settle } of this.#offers.splice(0)) settle(0);
    this.#answer(undefined);
  }

  #take(): readonly FlightRows[] | undefined | Promise<readonly FlightRows[] | undefined> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#left === 0) return undefined;
    const groups = this.#next();
    if (groups !== undefined) return groups;
    return new Promise((resolve, reject) => {
      this.#read = { resolve, reject };
    });
  }

  #answer(groups: readonly FlightRows[] | undefined): void {
    const read = this.#read;
    this.#read = undefined;
    read?.resolve(groups);
  }

  /** The group whose turn it is, as far as the limit lets it in. */
  #next(): readonly FlightRows[] | undefined {
    const offer = this.#offers.shift();
    if (offer === undefined) return undefined;
    const rows = firstOf(offer.rows, this.#left);
    this.#left -= rows.rowCount;
    const counts = (this.#context as StageContext).counts;
    const before = counts.out;
    // INVARIANT: the run counts a group when it takes it: at once, or in the reaction to the promise that waits for it. If
    // it ended in between, the group is not inside, and its client must be told so.
    setImmediate(() => offer.settle(counts.out > before ? rows.rowCount : 0));
    return [rows];
  }
}

function firstOf(rows: FlightRows, count: number): FlightRows {
  if (rows.rowCount <= count) return rows;
  const { date, delay, distance, origin, destination } = rows.columns;
  const columns = {
    date: Array.prototype.slice.call(date, 0, count),
    delay: Array.prototype.slice.call(delay, 0, count),
    distance: Array.prototype.slice.call(distance, 0, count),
    origin: { ...origin, indexes: Array.prototype.slice.call(origin.indexes, 0, count) },
    destination: { ...destination, indexes: Array.prototype.slice.call(destination.indexes, 0, count) },
  };
  return { rowCount: count, columns };
}
