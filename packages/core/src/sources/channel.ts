import { captureContext } from '../engine/async-context.js';
import { plain } from '../engine/carried.js';
import type { StageContext } from '../engine/context.js';
import { readerSource } from '../engine/reader-source.js';
import type { SourceReader } from '../engine/spec.js';
import { PipelineError } from '../errors.js';
import { checkCount } from '../internal/arguments.js';
import { Fifo } from '../internal/fifo.js';
import { soon } from '../internal/soon.js';
import { Pipeline } from '../pipeline.js';

/** The end of a channel that items go into; its methods may be used without it. */
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
 * Connects tasks through a queue with a bound: the fast side waits when it is full. Any number of tasks may send, each with
 * a `clone()` of the sender, and any number of pipelines receive: each item goes to one of them.
 *
 * Contract
 * - Order: that of the calls of `send()`, those that wait included. Pipelines that wait at the same time share what comes.
 * - Holds: at most `capacity` items; an item whose `send()` is pending is still the sender's.
 * - Backpressure: `send()` gives a promise when `capacity` items wait, nothing while there is room.
 * - Failure: `send()` fails once this sender or the receiver is closed.
 * - Context: in a run with `context: true` an item has that of its `send()`, from when the run was started.
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
 * for (const n of [1, 2, 3]) {
 *   const room = sender.send(n);
 *   if (room !== undefined) await room; // awaiting each send works too, and is several times as slow
 * }
 * sender.close();
 * assert.deepEqual(await received, [1, 2, 3]);
 * ```
 *
 * @example Two producers, two consumers
 * ```ts
 * const { sender, receiver } = channel<string>(16);
 * const consumers = [receiver.toArray(), receiver.toArray()];
 * for (const producer of ['a', 'b']) {
 *   const own = sender.clone();
 *   for (const n of [1, 2]) void own.send(`${producer}${n}`);
 *   own.close();
 * }
 * sender.close();
 * assert.deepEqual((await Promise.all(consumers)).flat().sort(), ['a1', 'a2', 'b1', 'b2']);
 * ```
 */
export function channel<T>(capacity: number): Channel<T> {
  checkCount('channel()', 'capacity', capacity, 1);
  const queue = new ChannelQueue<T>(capacity);
  const receiver = new Pipeline<T>(readerSource('channel', (context) => queue.open(context)));
  return { sender: queue.sender(), receiver };
}

interface PendingSend<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

interface PendingRead<T> {
  readonly max: number;
  resolve(items: readonly T[] | undefined): void;
}

class ChannelQueue<T> {
  readonly #capacity: number;
  readonly #items = new Fifo<T>();
  /** Those that wait for room; there are none while there is some. */
  readonly #sends = new Fifo<PendingSend<T>>();
  /** Those that wait for items; where there are some, it is the turn of `#serve`. */
  #reads: PendingRead<T>[] = [];
  #isServing = false;
  #senders = 0;
  #readers = 0;
  /** An open run whose items carry the contexts they were sent in. */
  #carrying: StageContext | undefined;
  /** Whether items of the queue may carry theirs. */
  #hasCarried = false;
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
        if (!isOpen) return;
        isOpen = false;
        this.#senders--;
        this.#endReads();
      },
    };
  }

  open(context: StageContext): SourceReader<T> {
    this.#readers++;
    if (context.carries) {
      this.#carrying = context;
      this.#hasCarried = true;
    }
    // Of two runs that share the items one may have no use for what they carry.
    const own = (items: readonly T[]): readonly T[] =>
      context.carries || !this.#hasCarried ? items : items.map((item) => plain(item) as T);
    let pending: PendingRead<T> | undefined;
    const end = (): void => {
      this.#reads = this.#reads.filter((read) => read !== pending);
      pending?.resolve(undefined);
    };
    return {
      read: (max) => {
        // Where others wait already, what there is is theirs too.
        const items = this.#reads.length === 0 ? this.#take(max) : [];
        if (items.length > 0) return own(items);
        if (this.#isOver()) return undefined;
        return new Promise((resolve) => {
          pending = { max, resolve: (given) => resolve(given === undefined ? given : own(given)) };
          this.#reads.push(pending);
        });
      },
      close: () => {
        end();
        if (this.#carrying === context) this.#carrying = undefined;
        if (--this.#readers === 0) this.#closeReceiver();
      },
      drain: end,
      giveBack: (items) => this.#takeBack(items),
    };
  }

  #send(sent: T): void | Promise<void> {
    if (this.#isReceiverClosed) throw closedError('the receiver');
    const item = this.#carrying?.carry(sent, { enter: captureContext?.() }) ?? sent;
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return this.#serveSoon();
    }
    return new Promise((resolve, reject) => {
      this.#sends.push({ item, resolve, reject });
    });
  }

  #take(max: number): readonly T[] {
    const items = this.#items.take(max);
    if (this.#sends.length === 0) return items;
    for (const send of this.#sends.take(this.#capacity - this.#items.length)) {
      this.#items.push(send.item);
      send.resolve();
    }
    return items;
  }

  /** PERF: those that wait are given items once the sender has come to its end, so that they get all that it sent. */
  #serveSoon(): void {
    if (this.#reads.length === 0 || this.#isServing) return;
    this.#isServing = true;
    soon(this.#serve);
  }

  /** Shares out what there is among those that wait, in the order in which they came. */
  readonly #serve = (): void => {
    this.#isServing = false;
    while (this.#reads.length > 0 && this.#items.length > 0) {
      const share = Math.ceil(this.#items.length / this.#reads.length);
      const { max, resolve } = this.#reads.shift() as PendingRead<T>;
      resolve(this.#take(Math.min(max, share)));
    }
    this.#endReads();
  };

  /** Items that were on their way to a reader when that closed go on first; so some may wait beyond the capacity. */
  #takeBack(items: readonly T[]): void {
    if (this.#isReceiverClosed) return;
    this.#items.putBack(items);
    this.#serveSoon();
  }

  #isOver(): boolean {
    return this.#isReceiverClosed || (this.#senders === 0 && this.#items.length === 0);
  }

  #endReads(): void {
    if (!this.#isOver()) return;
    for (const read of this.#reads.splice(0)) read.resolve(undefined);
  }

  #closeReceiver(): void {
    // Where nothing else is to come, what was sent a moment ago, or is still on its way, is kept for a later run.
    if (this.#senders === 0 && (this.#items.length === 0 || this.#isServing)) return;
    this.#isReceiverClosed = true;
    this.#items.take(this.#items.length);
    for (const send of this.#sends.take(this.#sends.length)) send.reject(closedError('the receiver'));
  }
}

function closedError(what: string): PipelineError {
  return new PipelineError('ERR_CORE_CHANNEL_CLOSED', `Cannot send the item: ${what} is closed (must be open)`);
}
