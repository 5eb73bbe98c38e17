import type { Clock, Timer } from '@millrace/core';
import type { Schedule } from '@millrace/testkit';
import type { Fault, Value, When } from './case.js';
import { leavesOf } from './values.js';

/** The error that the function of a stage, source or sink fails with: one for each. */
export class Cause extends Error {
  constructor(stage: string) {
    super(`fault of ${stage}`);
  }
}

/** What a source, an iterator or a sink went through. */
export interface Life {
  readonly name: string;
  readonly kind: 'source' | 'iterator' | 'sink';
  /** How often it was told to end. */
  closes: number;
  aborts: number;
  /** Whether it ended by itself, or failed: then nobody has to close it. */
  isOver: boolean;
  /** What was done to it that must not be. */
  problem: string | undefined;
}

/** What a part of a case does when it is called. */
export interface Called {
  readonly name?: string;
  readonly when?: When;
  readonly fault?: Fault | undefined;
}

/** More time than any stage of a case waits: these timers fire only where the case needs them. */
const LONG_MS = 500;

/** All that one run of a case sees and does, and what is noted of it. */
export class World {
  readonly schedule: Schedule;
  readonly lives: Life[] = [];
  /** What each sink was given and is done with. */
  readonly seen: Value[][] = [];
  /** What came by behind the merge of that name. */
  readonly joined: Map<string, Value[]> = new Map();
  /** Stages of sub-pipelines, whose indexes are those of a key. */
  readonly perKey: Set<string> = new Set();
  readonly causes: Map<string, Cause> = new Map();
  readonly #calls = new Map<string, number>();
  /** The calls of all functions. */
  calls: number = 0;
  /** Those before anybody asked for an item. */
  callsBefore: number = 0;
  /** Ends the run at a call, where the case says so. */
  onCall: (call: number) => void = () => {};
  /** Numbers that sources handed on, and those that ended on the way or at a sink. */
  handed: number = 0;
  gone: number = 0;
  /** The most that were inside at a time, by this count. */
  insideMost: number = 0;
  /** Whether something went wrong, or ended the run: what is inside cannot be told from then on. */
  isDisturbed: boolean = false;
  /** What functions were told of an item that was another one. */
  readonly wrongIndexes: string[] = [];
  timersSet: number = 0;
  /** Whether a clean-up was given up. */
  isGraceOver: boolean = false;
  readonly clock: Clock;

  constructor(schedule: Schedule, hasHanging: boolean) {
    this.schedule = schedule;
    this.clock = {
      now: () => schedule.clock.now(),
      setTimer: (callback, delayMs) => this.#setTimer(callback, delayMs, hasHanging),
    };
  }

  #setTimer(callback: () => void, delayMs: number, hasHanging: boolean): Timer {
    this.timersSet++;
    let isSet = true;
    const end = (): void => {
      if (isSet) this.timersSet--;
      isSet = false;
    };
    const fire = (): void => {
      end();
      if (delayMs >= LONG_MS) this.isGraceOver = true;
      callback();
    };
    const timer = delayMs < LONG_MS || hasHanging ? this.schedule.clock.setTimer(fire, delayMs) : undefined;
    return {
      clear: () => {
        end();
        timer?.clear();
      },
    };
  }

  life(name: string, kind: Life['kind']): Life {
    const life: Life = { name, kind, closes: 0, aborts: 0, isOver: false, problem: undefined };
    this.lives.push(life);
    return life;
  }

  cause(name: string): Cause {
    const known = this.causes.get(name) ?? new Cause(name);
    this.causes.set(name, known);
    return known;
  }

  /** Answers for a function, as the case says: now or later, well or not; `at` is the number of the call, or item. */
  call<R>(part: Called, answer: () => R, at: number = this.#count(part.name ?? '')): R | Promise<R> {
    const { name = '', fault, when = 'now' } = part;
    this.onCall(this.calls++);
    if (fault?.at === at) {
      this.isDisturbed = true;
      const cause = this.cause(name);
      if (fault.how === 'throws') throw cause;
      if (fault.how === 'hangs') return new Promise(() => {});
      if (when !== 'some') return Promise.reject(cause);
      return this.schedule.any(name).then(() => Promise.reject(cause));
    }
    if (when === 'now') return answer();
    return when === 'micro' ? Promise.resolve().then(answer) : this.schedule.any(name).then(answer);
  }

  /** As `call()`, for a function that is told the index of its item: the first item is 0, and none is left out. */
  callAt<R>(part: Called, index: number, answer: () => R): R | Promise<R> {
    const { name = '' } = part;
    const at = this.#count(name);
    if (index !== at && !this.perKey.has(name)) this.wrongIndexes.push(`${name} was told ${index} for item ${at}`);
    return this.call(part, answer, at);
  }

  #count(name: string): number {
    const at = this.#calls.get(name) ?? 0;
    this.#calls.set(name, at + 1);
    return at;
  }

  hand(items: number): void {
    this.handed += items;
    const inside = this.handed - this.gone;
    if (!this.isDisturbed && inside > this.insideMost) this.insideMost = inside;
  }

  leave(value: Value): void {
    this.gone += leavesOf(value);
  }
}
