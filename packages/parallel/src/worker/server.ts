import { attached } from '../protocol/attached.js';
import { type DoneMessage, type FromWorker, PROGRESS, type ToWorker } from '../protocol/messages.js';
import { clonable, type PackedError, packError } from '../protocol/packed-error.js';
import { CallContext, type ItemFunction, Lease } from './lease.js';
import { unwrapTransferred } from './transferred.js';

/** A burst that has run for so long gives back the items it has not begun: they cost more than was known. */
const LATE_MS = 8;
/** PERF: the clock costs 44 ns, so it is read after the first item, then once every so many. */
const LOOK_EVERY = 8;

type BurstMessage = ToWorker & { readonly type: 'burst' };
type Post = (message: FromWorker, transfer: readonly Transferable[]) => void;

/** A burst on its way through the function. */
class Work {
  readonly burst: BurstMessage;
  readonly lease: Lease;
  readonly beganMs: number = performance.now();
  readonly results: unknown[] = [];
  errors: Array<readonly [number, PackedError]> | undefined;
  transfer: Set<Transferable> | undefined;

  constructor(burst: BurstMessage, lease: Lease) {
    this.burst = burst;
    this.lease = lease;
  }

  /** Takes a result; throws where a buffer of it can't be moved. */
  put(result: unknown): void {
    const moved = unwrapTransferred(result);
    if (moved === undefined) {
      this.results.push(result);
      return;
    }
    this.transfer ??= new Set();
    for (const each of moved.transfer) this.transfer.add(attached(each));
    this.results.push(moved.value);
  }

  fail(offset: number, thrown: unknown): void {
    this.errors ??= [];
    this.errors.push([offset, packError(thrown)]);
  }

  /** Whether to stop before the next item. */
  isOver(): boolean {
    const at = this.results.length;
    if (at === this.burst.items.length || this.lease.isStopped) return true;
    if (!this.burst.mayReturn || at === 0 || (at > 1 && at % LOOK_EVERY !== 0)) return false;
    return performance.now() - this.beganMs > LATE_MS;
  }
}

/** Runs in the worker: takes bursts one after the other and calls the function of the module on each item. */
export class Server {
  readonly #exports: Readonly<Record<string, unknown>>;
  readonly #progress: Int32Array;
  readonly #post: Post;
  readonly #leases = new Map<number, Lease>();
  readonly #queue: BurstMessage[] = [];
  #isRunning = false;
  /** What sending the results before took: part of what a burst costs. */
  #sendMs = 0;

  constructor(exports: Readonly<Record<string, unknown>>, progress: Int32Array, post: Post) {
    this.#exports = exports;
    this.#progress = progress;
    this.#post = post;
  }

  receive(message: ToWorker): void {
    if (message.type === 'burst') {
      this.#queue.push(message);
      this.#work();
    } else if (message.type === 'open') {
      this.#leases.set(message.lease, new Lease(this.#exports[message.name] as ItemFunction, message.flag));
    } else if (message.type === 'abort') this.#leases.get(message.lease)?.abort();
    else this.#leases.delete(message.lease);
  }

  #work(): void {
    while (!this.#isRunning) {
      const burst = this.#queue.shift();
      if (burst === undefined) return;
      const work = new Work(burst, this.#leases.get(burst.lease) as Lease);
      Atomics.store(this.#progress, PROGRESS.offset, 0);
      Atomics.store(this.#progress, PROGRESS.burst, burst.id);
      this.#isRunning = true;
      this.#run(work);
    }
  }

  /** Works on items until one is waited for, or all are done; nothing here makes a promise per item. */
  #run(work: Work): void {
    const { burst, lease, results } = work;
    while (!work.isOver()) {
      const offset = results.length;
      Atomics.store(this.#progress, PROGRESS.offset, offset);
      try {
        const result = lease.call(burst.items[offset], new CallContext(burst.first + offset, burst.attempt, lease));
        if (isThenable(result)) {
          result.then(
            (value) => this.#resume(work, () => work.put(value)),
            (error: unknown) => {
              this.#resume(work, () => {
                throw error;
              });
            },
          );
          return;
        }
        work.put(result);
      } catch (error) {
        this.#failed(work, error);
      }
    }
    Atomics.store(this.#progress, PROGRESS.offset, burst.items.length);
    this.#reply(work);
    Atomics.store(this.#progress, PROGRESS.burst, 0);
    this.#isRunning = false;
  }

  #resume(work: Work, settle: () => void): void {
    try {
      settle();
    } catch (error) {
      this.#failed(work, error);
    }
    this.#run(work);
    this.#work();
  }

  #failed(work: Work, error: unknown): void {
    work.fail(work.results.length, error);
    work.results.push(undefined);
  }

  #reply(work: Work): void {
    const { burst, results } = work;
    const endedMs = performance.now();
    const tookMs = endedMs - work.beganMs + this.#sendMs;
    const done = (): DoneMessage => ({ type: 'done', id: burst.id, tookMs, results, errors: work.errors });
    try {
      this.#post(done(), work.transfer === undefined ? [] : [...work.transfer]);
    } catch (error) {
      refuseUnclonable(work, error);
      this.#post(done(), []);
    }
    this.#sendMs = performance.now() - endedMs;
  }
}

/** Puts an error in the place of each result that can't be sent; of all where none is at fault by itself. */
function refuseUnclonable(work: Work, error: unknown): void {
  const { results } = work;
  const known = new Set(work.errors?.map(([offset]) => offset));
  const all = results.map((_, offset) => offset).filter((offset) => !known.has(offset));
  const guilty = all.filter((offset) => !clonable(results[offset]));
  for (const offset of guilty.length > 0 ? guilty : all) {
    results[offset] = undefined;
    work.fail(offset, error);
  }
  work.errors?.sort(([a], [b]) => a - b);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
  );
}
