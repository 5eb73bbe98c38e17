import type { Timer } from '../clock.js';
import { PipelineError } from '../errors.js';
import { type Answer, END, Failure, isLater, Mark, type Pulled, type Puller } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import { carryOn, plain } from './carried.js';
import type { StageContext } from './context.js';
import { ItemErrors, WRITING } from './item-errors.js';
import { Later, whenAnswered } from './later.js';
import type { OpenWindow, SavedWindow } from './open-window.js';
import { OpenWindows } from './open-windows.js';
import type { OperatorPuller } from './spec.js';
import { WindowBurst } from './window-burst.js';
import { carryingContent, type WindowsOptions } from './window-content.js';
import type { WindowTime } from './window-time.js';

/** A window that is ready to go out, and how many items go with it. */
interface Ready {
  readonly output: unknown;
  readonly items: number;
}

/** How many items to ask for where no limit says so. */
export const BURST = 256;

/** Gathers items in windows, and hands these on when they are over. */
export class Windows implements OperatorPuller<unknown> {
  readonly #upstream: Puller<unknown>;
  readonly #context: StageContext;
  readonly #options: WindowsOptions;
  readonly #time: WindowTime;
  readonly #late: ItemErrors;
  readonly #errors: ItemErrors;
  #lateError: PipelineError | undefined;
  /** The most items to ask for at once. */
  readonly #most: number;
  readonly #open: OpenWindows;
  #ready: Ready[] = [];
  /** The items that came last. */
  readonly #burst: WindowBurst;
  /** How many of them are counted. */
  #counted = 0;
  #isAsking = false;
  #isClosed = false;
  #behind: Mark | Failure | typeof END | undefined;
  /** Whether that is a mark that was handed on: nothing is taken from behind it before the next pull. */
  #hasGivenMark = false;
  #timer: Timer | undefined;
  #timerMs = 0;
  #max = 0;
  readonly #later = new Later<unknown>();

  constructor(
    upstream: Puller<unknown>,
    context: StageContext,
    options: WindowsOptions,
    time: WindowTime,
    burst: number,
  ) {
    this.#upstream = upstream;
    this.#context = context;
    this.#options = options;
    this.#time = time;
    this.#late = new ItemErrors(options.onLate, context, this.#onWritten);
    this.#errors = new ItemErrors(options.onError, context, this.#onWritten);
    this.#most = burst;
    const content = context.carries ? carryingContent(options.content) : options.content;
    this.#open = new OpenWindows(options.limits, content, options.holds && !context.carries, {
      closed: (window, isKept) => this.#closed(window, isKept),
      gone: (window) => this.#end(this.#heldBy(window), 'absorbed'),
    });
    this.#burst = new WindowBurst(this.#open, time, options.keyOf, context.carries);
  }

  pull(max: number): Pulled<unknown> {
    if (this.#hasGivenMark) this.#behind = undefined;
    this.#hasGivenMark = false;
    this.#max = max;
    this.#later.owe();
    this.#hand();
    this.#read();
    return this.#later.now();
  }

  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#burst.isClosed = true;
    this.#behind = END;
    this.#upstream.close(reason);
    this.#stopTimer();
    const isWriting = [this.#late, this.#errors].map((errors) => errors.close()).includes(true);
    if (isWriting) this.#context.inside(-this.#context.weight);
    this.#ready = [];
    this.#count();
    this.#end(this.#context.counts.held, 'abandoned');
    this.#open.clear();
    this.#abandonBurst();
  }

  save(): unknown {
    this.#now();
    const { originMs } = this.#time;
    // An origin has functions: what goes on from a checkpoint has that of its run.
    const windows = this.#open.save().map((each) => ({ ...shifted(each, -originMs), content: plain(each.content) }));
    return { windows, time: this.#time.save() };
  }

  restore(state: unknown): void {
    const { windows, time } = state as { windows: SavedWindow[]; time: unknown };
    this.#now();
    this.#time.restore(time);
    this.#time.waits();
    const { originMs } = this.#time;
    this.#open.restore(windows.map((each) => shifted(each, originMs)));
    this.#setTimer();
  }

  readonly #read = (): void => {
    while (this.#mayRead()) {
      const room = this.#options.limits.maxItems - this.#open.items;
      if (room <= 0 && this.#time.closesByItself) return;
      this.#isAsking = true;
      const pulled = this.#upstream.pull(Math.max(1, Math.min(room, this.#most)));
      if (isLater(pulled)) {
        whenAnswered(pulled, this.#onAnswer);
        return;
      }
      this.#isAsking = false;
      this.#accept(pulled);
      if (spend(Array.isArray(pulled) ? pulled.length : 1)) return whenMyTurn(this.#read);
    }
  };

  #mayRead(): boolean {
    if (this.#isAsking || this.#isWriting || this.#isClosed) return false;
    if (this.#behind !== undefined || this.#ready.length > 0) return false;
    // Where time goes by without items they are read as they come.
    return this.#later.isOwed || this.#time.isTimed;
  }

  readonly #onAnswer = (answer: Answer<unknown>): void => {
    this.#isAsking = false;
    this.#accept(answer);
    if (spend(Array.isArray(answer) ? answer.length : 1)) whenMyTurn(this.#read);
    else this.#read();
  };

  #accept(answer: Answer<unknown>): void {
    if (this.#isClosed) {
      if (Array.isArray(answer)) this.#burst.items = answer;
      return this.#abandonBurst();
    }
    const wasEmpty = this.#open.isEmpty;
    this.#now();
    if (Array.isArray(answer)) {
      this.#burst.items = answer;
      this.#work();
    } else this.#acceptOther(answer);
    if (wasEmpty) this.#time.waits();
    this.#setTimer();
    this.#hand();
  }

  #acceptOther(answer: Mark | Failure | typeof END): void {
    this.#behind = answer;
    if (answer instanceof Failure) this.#discard();
    else if (answer === END || answer.kind === 'flush') this.#open.closeAll();
    else if (answer.kind === 'watermark') {
      this.#time.marked(Number(answer.value));
      this.#open.closeUntil(this.#time.watermarkMs);
    }
  }

  /** Whether a letter about an item is being written: the others wait behind it. */
  get #isWriting(): boolean {
    return this.#late.isWriting || this.#errors.isWriting;
  }

  /** Puts the items that came into windows, until one has to wait. */
  #work(): void {
    const burst = this.#burst;
    const { items } = burst;
    const first = this.#context.enteredBefore + this.#context.counts.in - burst.at;
    while (burst.at < items.length && burst.items === items && !this.#isWriting) {
      const out = burst.add(first);
      // A function of the user may have ended the run, which has dealt with the burst.
      if (this.#isClosed) return;
      this.#count();
      if (out === undefined) continue;
      const at = burst.at++;
      this.#counted = burst.at;
      this.#context.counts.in++;
      this.#reject(out, items[at], first + at);
    }
    if (burst.at >= burst.items.length) this.#emptyBurst();
  }

  /** Counts the items of the burst that are in windows. */
  #count(): void {
    const items = this.#burst.at - this.#counted;
    if (items === 0) return;
    this.#counted = this.#burst.at;
    this.#context.counts.in += items;
    if (this.#options.holds) this.#context.counts.held += items;
    else this.#end(items, 'absorbed', false);
  }

  #reject(out: 'late' | 'failed', item: unknown, index: number): void {
    // PERF: one for all. To make an error costs as much as a hundred items.
    this.#lateError ??= new PipelineError(
      'ERR_CORE_LATE',
      'Cannot put the item into a window: it is late (must come before its windows are closed)',
    );
    const error = out === 'late' ? this.#lateError : this.#burst.error;
    if (this.#open.isOverflow(error)) return this.#fail(this.#context.failure(error, index, 1, item));
    if (out === 'failed') this.#open.tidy();
    const taken = (out === 'late' ? this.#late : this.#errors).take(error, index, item);
    if (taken !== WRITING) this.#lost(taken);
  }

  /** An item is dealt with, and counted, or ends the run. */
  #lost(failure: Failure | undefined): void {
    if (failure === undefined) this.#context.inside(-this.#context.weight);
    else this.#fail(failure);
  }

  readonly #onWritten = (failure: Failure | undefined): void => {
    this.#now();
    this.#lost(failure);
    if (failure === undefined) this.#work();
    this.#setTimer();
    this.#hand();
    this.#read();
  };

  /** Ends with an item that failed: windows that had closed by then keep their place before that. */
  #fail(failure: Failure): void {
    this.#end(1, 'abandoned', false);
    if (this.#isClosed) return;
    this.#behind = failure;
    this.#abandonBurst();
    this.#discard();
  }

  #discard(): void {
    this.#open.clear();
    const going = this.#ready.reduce((sum, { items }) => sum + items, 0);
    this.#end(this.#context.counts.held - going, 'abandoned');
  }

  #closed(window: OpenWindow, isKept: boolean): void {
    const made = this.#options.output(window, plain(window.content), isKept);
    // What was restored from a checkpoint has no origin but the run's.
    const output = this.#context.carries ? this.#context.carry(carryOn(window.content, made), {}) : made;
    this.#ready.push({ output, items: isKept ? 0 : this.#heldBy(window) });
  }

  /** How many items that came in this run end with a window. */
  #heldBy({ items, restored }: OpenWindow): number {
    return this.#options.holds ? items - restored : 0;
  }

  #hand(): void {
    if (!this.#later.isOwed) return;
    if (this.#ready.length > 0) return this.#later.give(this.#take());
    const behind = this.#behind;
    if (behind === undefined) return;
    if (behind instanceof Mark) this.#hasGivenMark = true;
    this.#later.give(behind);
  }

  #take(): unknown[] {
    const { counts, weight } = this.#context;
    const { holds, limits } = this.#options;
    const ready = this.#ready.length <= this.#max ? this.#ready : this.#ready.splice(0, this.#max);
    if (ready === this.#ready) this.#ready = [];
    const each = !holds ? 1 : Number.isFinite(limits.maxItems) ? limits.maxItems * weight : weight;
    counts.made += ready.length;
    counts.out += ready.length;
    this.#context.inside(ready.length * each);
    // PERF: `map()` makes arrays of another kind, to V8, from when it is inlined: all that reads them is compiled again.
    const outputs: unknown[] = [];
    for (const { output, items } of ready) {
      this.#end(items, 'absorbed');
      outputs.push(output);
    }
    // Time in which the consumer was busy is not time without items.
    if (this.#ready.length === 0) this.#waitOn();
    return outputs;
  }

  #waitOn(): void {
    if (!this.#time.isTimed) return;
    this.#now();
    this.#time.waits();
  }

  #now(): void {
    if (this.#time.isTimed) this.#time.now(this.#context.clock.now());
  }

  /** Lets a timer fire when the next window ends, or the watermark has stood still for too long. */
  #setTimer(): void {
    if (!this.#time.isTimed) return;
    const isNeeded = !this.#isClosed && !this.#open.isEmpty;
    const atMs = isNeeded ? this.#time.wakeAtMs(this.#open.nextMs) : undefined;
    if (atMs === undefined) return this.#stopTimer();
    // PERF: one that fires early is set anew then, not whenever an item comes.
    if (this.#timer !== undefined && this.#timerMs <= atMs) return;
    this.#stopTimer();
    this.#timerMs = atMs;
    this.#timer = this.#context.clock.setTimer(this.#onTimer, Math.max(0, atMs - this.#context.clock.now()));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#now();
    if (this.#isAsking) this.#time.wake(this.#open.lastMs);
    else this.#time.waits();
    this.#open.closeUntil(this.#time.watermarkMs);
    this.#setTimer();
    this.#hand();
    this.#read();
  };

  #stopTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #abandonBurst(): void {
    const left = this.#burst.items.length - this.#burst.at;
    this.#emptyBurst();
    this.#context.counts.in += left;
    this.#end(left, 'abandoned', false);
  }

  #emptyBurst(): void {
    this.#burst.clear();
    this.#counted = 0;
  }

  /** Items end here, most of them having been held. */
  #end(items: number, fate: 'absorbed' | 'abandoned', wereHeld = true): void {
    const { counts, weight } = this.#context;
    if (wereHeld) counts.held -= items;
    counts[fate] += items;
    this.#context.inside(-items * weight);
  }
}

function shifted(window: SavedWindow, byMs: number): SavedWindow {
  return { ...window, startMs: window.startMs + byMs, endMs: window.endMs + byMs };
}
