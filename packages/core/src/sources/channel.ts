import type { SourceReader } from '../engine/spec.js';
import { PipelineError } from '../errors.js';
import { checkCount } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';

/** The end of a channel that items go into. */
export interface Sender<T> {
  /**
   * Hands an item over.
   *
   * @returns Nothing where there is room, else a promise that resolves when the item has found room.
   * @throws PipelineError `ERR_CORE_CHANNEL_CLOSED`, thrown or rejected with, when this sender or the receiver is closed.
   */
  send(item: T): void | Promise<void>;
  /** Makes another sender; the channel ends when all of them are closed. */
  clone(): Sender<T>;
  /** Says that this sender has nothing more. Closing again does nothing. */
  close(): void;
}

/** Both ends of a channel. */
export interface Channel<T> {
  readonly sender: Sender<T>;
  /** A pipeline of the items; runs of it at the same time share them, each item goes to one. */
  readonly receiver: Pipeline<T>;
}

/**
 * Connects tasks through a queue with a bound: the fast side waits when it is full.
 *
 * Contract
 * - Order: that of the calls of `send()`, those that wait included.
 * - Holds: at most `capacity` items; an item whose `send()` is pending is still the sender's.
 * - Backpressure: `send()` gives a promise when `capacity` items wait, nothing while there is room.
 * - Failure: `send()` fails once this sender or the receiver is closed.
 * - Cancel: when the last run of the receiver ends early while senders are open, or items wait, the items that wait are
 *   gone, pending sends reject, and so does every later one.
 *
 * @typeParam T - The items.
 * @param capacity - How many items may wait, 1 or more.
 * @returns The two ends.
 * @throws RangeError `ERR_CORE_ARGUMENT` when `capacity` is not a whole number of 1 or more.
 * @remarks Elsewhere: RxJS –; Rust `mpsc::channel`; Akka `Source.queue`; Node `PassThrough`.
 *
 * @example A producer that waits for its consumer
 * ```ts
 * const { sender, receiver } = channel<number>(2);
 * const received = receiver.toArray();
 * for (const n of [1, 2, 3]) await sender.send(n);
 * sender.close();
 * assert.deepEqual(await received, [1, 2, 3]);
 * ```
 */
export function channel<T>(capacity: number): Channel<T> {
  checkCount('channel()', 'capacity', capacity, 1);
  const queue = new ChannelQueue<T>(capacity);
  const receiver = new Pipeline<T>({
    type: 'reader',
    name: 'channel',
    open: () => queue.open(),
  });
  return { sender: queue.sender(), receiver };
}

interface PendingSend<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

class ChannelQueue<T> {
  readonly #capacity: number;
  #items: T[] = [];
  #sends: PendingSend<T>[] = [];
  #reads: Array<{ max: number; resolve: (items: readonly T[] | undefined) => void }> = [];
  #senders = 0;
  #readers = 0;
  #isReceiverClosed = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  sender(): Sender<T> {
    this.#senders++;
    let isOpen = true;
    return {
      send: (item) => {
        if (!isOpen) throw closedError('this sender');
        return this.#send(item);
      },
      clone: () => {
        if (!isOpen) throw closedError('this sender');
        return this.sender();
      },
      close: () => {
        if (isOpen) {
          isOpen = false;
          this.#senders--;
          this.#endReads();
        }
      },
    };
  }

  open(): SourceReader<T> {
    this.#readers++;
    let pending: { max: number; resolve: (items: readonly T[] | undefined) => void } | undefined;
    const end = (): void => {
      this.#reads = this.#reads.filter((read) => read !== pending);
      pending?.resolve(undefined);
    };
    return {
      read: (max) => {
        const items = this.#take(max);
        if (items.length > 0) return items;
        if (this.#senders === 0 || this.#isReceiverClosed) return undefined;
        return new Promise((resolve) => {
          pending = { max, resolve };
          this.#reads.push(pending);
        });
      },
      close: () => {
        end();
        if (--this.#readers === 0) this.#closeReceiver();
      },
      drain: end,
      giveBack: (items) => this.#takeBack(items),
    };
  }

  #send(item: T): void | Promise<void> {
    if (this.#isReceiverClosed) throw closedError('the receiver');
    const read = this.#reads.shift();
    if (read !== undefined) return read.resolve([item]);
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#sends.push({ item, resolve, reject });
    });
  }

  #take(max: number): readonly T[] {
    const items = this.#items.splice(0, max);
    const admitted = this.#sends.splice(0, this.#capacity - this.#items.length);
    for (const send of admitted) {
      this.#items.push(send.item);
      send.resolve();
    }
    return items;
  }

  /** An item that was on its way to a reader when that closed goes on first; one may so wait beyond the capacity. */
  #takeBack(items: readonly T[]): void {
    if (this.#isReceiverClosed) return;
    const read = this.#reads.shift();
    if (read === undefined) this.#items.unshift(...items);
    else read.resolve(items);
  }

  #endReads(): void {
    if (this.#senders > 0) return;
    for (const read of this.#reads.splice(0)) read.resolve(undefined);
  }

  #closeReceiver(): void {
    if (this.#senders === 0 && this.#items.length === 0 && this.#sends.length === 0) return;
    this.#isReceiverClosed = true;
    this.#items = [];
    for (const send of this.#sends.splice(0)) send.reject(closedError('the receiver'));
  }
}

function closedError(what: string): PipelineError {
  return new PipelineError('ERR_CORE_CHANNEL_CLOSED', `Cannot send the item: ${what} is closed (must be open)`);
}
