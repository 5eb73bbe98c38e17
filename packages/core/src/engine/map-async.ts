import { type Answer, END, type Failure, isLater, isThenable, Mark, type Pulled, type Puller } from './answer.js';
import { callContext, type ItemContext } from './call-context.js';
import type { StageContext } from './context.js';
import type { Guard, Settle } from './guard.js';
import { KeyOrder } from './key-order.js';
import { Later, whenAnswered } from './later.js';

/** Calls the user's function on one item. */
export type AsyncFunction = (item: unknown, context: ItemContext) => unknown;

/** Which items must not be worked on at once, and how many may wait for one another beyond those in service. */
export interface ByKey {
  keyBy(item: unknown): unknown;
  readonly highWaterMark: number;
}

class Task {
  state: 'running' | 'done' | 'failed' | 'lost' = 'running';
  /** The result; of a task that waits for its key, the item. */
  value: unknown = undefined;
  key: unknown = undefined;
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/**
 * Runs an asynchronous function on up to `concurrency` items at once.
 *
 * A slot is an item from when it is taken until its result is handed on, so results that wait count too. In order, the
 * oldest task's result goes first; a failure keeps its place.
 *
 * By key, it takes more items than it has slots, so that others run past one that waits for its key. INVARIANT: a free
 * slot goes to the oldest item that may begin: so the oldest of all, whose result the others wait for, always gets one.
 */
export class MapAsync implements Puller<unknown> {
  readonly #call: AsyncFunction;
  readonly #concurrency: number;
  readonly #ordered: boolean;
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  /** Calls the function where there is a policy for items on which it fails. */
  readonly #guard: Guard | undefined;
  readonly #byKey: ByKey | undefined;
  /** The tasks that wait for their key, or for a slot. */
  readonly #keys = new KeyOrder<Task>();
  #isBeginning = false;
  /** Tasks in the order in which they are handed on: of their items, or (unordered) of their ends. */
  #queue: Task[] = [];
  #head = 0;
  #running = 0;
  /** How many of the queue are dealt with, and counted, otherwise: dropped or dead-lettered. */
  #lost = 0;
  #isAsking = false;
  #isClosed = false;
  /** What comes behind all tasks. */
  #behind: Mark | Failure | typeof END | undefined;
  #last: Failure | typeof END | undefined;
  #failure: Failure | undefined;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(
    call: AsyncFunction,
    concurrency: number,
    ordered: boolean,
    upstream: Puller<unknown>,
    context: StageContext,
    guard?: Guard,
    byKey?: ByKey,
  ) {
    this.#call = call;
    this.#concurrency = concurrency;
    this.#ordered = ordered;
    this.#upstream = upstream;
    this.#context = context;
    this.#guard = guard;
    this.#byKey = byKey;
  }

  pull(max: number): Pulled<unknown> {
    if (this.#last !== undefined) return this.#last;
    this.#max = max;
    this.#pump();
    const answer = this.#take();
    return answer ?? this.#later.owe();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#last ??= END;
    this.#guard?.close(reason);
    this.#upstream.close(reason);
    this.#abandon(this.#inside() - this.#lost);
    this.#queue = [];
    this.#head = 0;
  }

  /** How many items were taken and not handed on: those that hold slots, and those that wait for their key. */
  #inside(): number {
    const waiting = this.#queue.length - this.#head;
    return this.#ordered ? waiting : waiting + this.#running + this.#keys.waiting;
  }

  /** Takes items while slots are free. */
  #pump(): void {
    this.#beginFree();
    while (!this.#isAsking && !this.#isClosed && this.#behind === undefined && this.#failure === undefined) {
      this.#skipLost();
      const free = this.#concurrency + (this.#byKey?.highWaterMark ?? 0) - this.#inside();
      if (free <= 0) return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(free);
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
    }
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
    const { counts } = this.#context;
    const began = this.#context.began();
    for (let at = 0; at < answer.length; at++) {
      // The function on an item before may have failed, or ended the run.
      if (this.#isClosed || this.#failure !== undefined) {
        counts.in += answer.length - at;
        this.#abandon(answer.length - at);
        break;
      }
      this.#begin(answer[at], began);
    }
    this.#context.worked(answer.length, began);
  }

  #begin(item: unknown, began: number): void {
    const { counts, enteredBefore } = this.#context;
    const task = new Task(enteredBefore + counts.in++);
    if (this.#ordered) this.#queue.push(task);
    if (this.#byKey === undefined) return this.#run(item, task, began);
    try {
      task.key = this.#byKey.keyBy(item);
    } catch (error) {
      // One that nothing else waits for.
      task.key = task;
      this.#running++;
      const guard = this.#guard;
      if (guard === undefined)
        return this.#end(task, began, 'failed', this.#context.failure(error, task.index, 1, item));
      return this.#guarded(task, began, (settle) => guard.refused(item, task.index, error, settle));
    }
    task.value = item;
    this.#keys.add(task);
    this.#beginFree();
  }

  /** Begins tasks whose key is free while there are slots; behind a failure only those whose results come before it. */
  #beginFree(): void {
    if (this.#keys.waiting === 0 || this.#isBeginning) return;
    this.#isBeginning = true;
    while (!this.#isClosed && this.#hasSlot()) {
      const end =
        this.#failure === undefined ? Number.POSITIVE_INFINITY : this.#ordered ? this.#failure.error.index : 0;
      const task = this.#keys.next(end);
      if (task === undefined) break;
      this.#run(task.value, task, this.#context.began());
    }
    this.#isBeginning = false;
  }

  #hasSlot(): boolean {
    this.#skipLost();
    return this.#inside() - this.#keys.waiting < this.#concurrency;
  }

  #run(item: unknown, task: Task, began: number): void {
    this.#running++;
    const guard = this.#guard;
    // PERF: without a time limit the guard is only asked when a call has failed.
    if (guard?.timeoutMs !== undefined)
      return this.#guarded(task, began, (settle) => guard.begin(item, task.index, settle));
    try {
      const result = this.#call(item, callContext(task.index, this.#context));
      if (isThenable(result)) {
        result.then(
          (value) => {
            this.#end(task, began, 'done', value);
            this.#hand();
          },
          (error: unknown) => {
            this.#failed(item, task, began, error);
            if (guard !== undefined) this.#pump();
            this.#hand();
          },
        );
      } else this.#end(task, began, 'done', result);
    } catch (error) {
      this.#failed(item, task, began, error);
    }
  }

  #failed(item: unknown, task: Task, began: number, error: unknown): void {
    const guard = this.#guard;
    if (guard === undefined) return this.#end(task, began, 'failed', this.#context.failure(error, task.index, 1, item));
    this.#guarded(task, began, (settle) => guard.failed(item, task.index, error, settle));
  }

  #guarded(task: Task, began: number, begin: (settle: Settle) => void): void {
    let isInside = true;
    begin((outcome, value) => {
      this.#end(task, began, outcome, value);
      // Whoever called will look at what there is to hand on.
      if (isInside) return;
      if (outcome === 'lost') this.#pump();
      this.#hand();
    });
    isInside = false;
  }

  #end(task: Task, began: number, state: 'done' | 'failed' | 'lost', value: unknown): void {
    this.#running--;
    this.#context.served(1, began);
    task.state = state;
    task.value = value;
    if (state === 'failed') this.#fail(task);
    else if (state === 'lost') this.#lose();
    // A task that ends after the stage was closed has been counted as abandoned.
    else if (!this.#ordered && !this.#isClosed) this.#queue.push(task);
    if (this.#byKey === undefined) return;
    this.#keys.done(task.key);
    this.#beginFree();
  }

  #fail(task: Task): void {
    const failure = task.value as Failure;
    if (this.#isClosed) return this.#context.alsoFailed(failure.error);
    if (this.#failure !== undefined) {
      // In order, the failure of the earlier item is the one that is reported.
      const isEarlier = this.#ordered && task.index < this.#failure.error.index;
      this.#context.alsoFailed(isEarlier ? this.#failure.error : failure.error);
      if (isEarlier) this.#failure = failure;
    } else this.#failure = failure;
    if (!this.#ordered) this.#abandon(1);
  }

  #lose(): void {
    // A letter that was written after the stage was closed is not counted; its item was abandoned.
    if (this.#isClosed) return;
    this.#context.inside(-this.#context.weight);
    if (this.#ordered) this.#lost++;
  }

  /** Frees the slots of items that are dealt with, once all before them were handed on. */
  #skipLost(): void {
    while (this.#queue[this.#head]?.state === 'lost') {
      this.#head++;
      this.#lost--;
    }
  }

  #hand(): void {
    if (!this.#later.isOwed) return;
    const answer = this.#take();
    if (answer !== undefined) this.#later.give(answer);
  }

  /** What can be handed on now; slots that become free are filled at once. */
  #take(): Answer<unknown> | undefined {
    if (this.#last !== undefined) return this.#last;
    const items = this.#finished();
    if (items.length > 0) {
      this.#context.counts.out += items.length;
      this.#pump();
      return items;
    }
    const head = this.#queue[this.#head];
    if (head?.state === 'failed' || (!this.#ordered && this.#failure !== undefined)) {
      this.#last = this.#failure;
      return this.#last;
    }
    if (this.#behind === undefined || this.#inside() > 0) return undefined;
    const behind = this.#behind;
    if (behind instanceof Mark) this.#behind = undefined;
    else this.#last = behind;
    return behind;
  }

  #finished(): unknown[] {
    const items: unknown[] = [];
    this.#skipLost();
    while (items.length < this.#max && this.#queue[this.#head]?.state === 'done') {
      items.push((this.#queue[this.#head] as Task).value);
      this.#head++;
      this.#skipLost();
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return items;
  }

  #abandon(items: number): void {
    this.#context.counts.abandoned += items;
    this.#context.inside(-items * this.#context.weight);
  }
}
