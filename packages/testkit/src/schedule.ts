import type { Clock, Timer } from '@millrace/core';
import { checkFunction, wrongType } from '@millrace/core/authoring';
import type { Fault } from './faults/fault.js';
import { randomFrom, seedOf } from './random.js';

/** Decides, in a program that is explored, which of the things under way happens next. */
export interface Schedule {
  /** What the order is drawn from. */
  readonly seed: number;
  /** For the `clock` option of runs: that the time goes on to the next timer is one of the things that can happen. */
  readonly clock: Clock & { sleep(ms: number): Promise<void> };
  /** What has happened so far, in order. */
  readonly steps: readonly string[];
  /** Resolves some time: when the schedule picks it among all that is under way. */
  any(name: string): Promise<void>;
  /** Makes each read, write or call answer some time; for `faultySource()`, `faultySink()` and `faultyFunction()`. */
  delays(name: string): Fault;
  /** Does something some time, or never when the program has ended before: an abort, a cancel. */
  sometime(name: string, action: () => void): void;
  /** Draws a number from 0 up to 1, from the seed. */
  random(): number;
}

interface Pending {
  readonly name: string;
  readonly label: string;
  happen(): void;
}

interface Due {
  readonly atMs: number;
  callback(): void;
}

/** The schedule of one run. */
export class Scheduler implements Schedule {
  readonly seed: number;
  readonly steps: string[] = [];
  readonly clock: Schedule['clock'];
  readonly random: () => number;
  readonly #draw: () => number;
  readonly #ordinals = new Map<string, number>();
  readonly #weights = new Map<string, number>();
  #pending: Pending[] = [];
  #timers: Due[] = [];
  #nowMs = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.#draw = randomFrom(seedOf('order', seed));
    this.random = randomFrom(seedOf('random', seed));
    const setTimer = (callback: () => void, delayMs: number): Timer => this.#setTimer(callback, delayMs);
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimer(resolve, ms));
    this.clock = { now: () => this.#nowMs, setTimer, sleep };
  }

  readonly any = (name: string): Promise<void> => {
    if (typeof name !== 'string') throw wrongType('any()', 'name', name, 'a string');
    return new Promise((resolve) => this.#add(name, resolve));
  };

  readonly delays = (name: string): Fault => {
    return ({ what }) => this.any(what === 'close' || what === 'abort' ? `${name} ${what}` : name);
  };

  readonly sometime = (name: string, action: () => void): void => {
    checkFunction('sometime()', 'action', action);
    this.#add(name, action);
  };

  /** Lets one thing happen; `false` where nothing is under way. */
  step(): boolean {
    const timer = this.#timers[0];
    const clock: Pending[] =
      timer === undefined ? [] : [{ name: 'time', label: `time ${timer.atMs} ms`, happen: () => this.#fire() }];
    const next = this.#pick([...this.#pending, ...clock]);
    if (next === undefined) return false;
    this.#pending = this.#pending.filter((each) => each !== next);
    this.steps.push(next.label);
    next.happen();
    return true;
  }

  /**
   * INVARIANT: what is picked depends on what is under way, not on the order in which that began: between two steps the
   * engine may have given the thread away, by the real clock.
   */
  #pick(from: Pending[]): Pending | undefined {
    from.sort((a, b) => (a.label < b.label ? -1 : 1));
    const weights = from.map(({ name }) => this.#weight(name));
    let left = this.#draw() * weights.reduce((sum, weight) => sum + weight, 0);
    const at = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return from.at(at);
  }

  /** In each run some names are up to 64 times as slow as others: what is always last is found as well as what is first. */
  #weight(name: string): number {
    const known = this.#weights.get(name);
    if (known !== undefined) return known;
    const weight = 2 ** (-6 * randomFrom(seedOf(name, this.seed))());
    this.#weights.set(name, weight);
    return weight;
  }

  #add(name: string, happen: () => void): void {
    const ordinal = this.#ordinals.get(name) ?? 0;
    this.#ordinals.set(name, ordinal + 1);
    this.#pending.push({ name, label: `${name} ${ordinal}`, happen });
  }

  #setTimer(callback: () => void, delayMs: number): Timer {
    const due = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.push(due);
    this.#timers.sort((a, b) => a.atMs - b.atMs);
    return {
      clear: () => {
        this.#timers = this.#timers.filter((timer) => timer !== due);
      },
    };
  }

  #fire(): void {
    const due = this.#timers.shift();
    this.#nowMs = Math.max(this.#nowMs, due?.atMs ?? 0);
    due?.callback();
  }
}
