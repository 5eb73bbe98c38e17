import type { Pipeline, Timer } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import type { VirtualClock } from '../virtual-clock.js';
import { type Diagram, drawDiagram, type Frame } from './diagram.js';

/** A source that gives what a diagram shows. */
export interface MarbleSource<T> {
  /** The pipeline that begins with it. */
  readonly pipeline: Pipeline<T>;
  /** How it was read in its last run: `^` where it was first asked, `!` where it was let go of. */
  readonly reading: string;
}

/** What the sources and the expectations of one test have in common. */
export interface Stave {
  readonly clock: VirtualClock;
  /** The tick it is now, counted from the beginning of the diagrams. */
  tick(): number;
  /** How long it is until a tick. */
  msUntil(tick: number): number;
  valueOf(letter: string): unknown;
  failure(): unknown;
}

/** Makes the source of a diagram. */
export function marbleSource<T>(diagram: Diagram, stave: Stave): MarbleSource<T> {
  let reader: Reader<T> | undefined;
  const pipeline = source<T>({
    name: 'marbles',
    open: () => {
      reader = new Reader<T>(diagram.frames, stave);
      return reader;
    },
  });
  return {
    pipeline,
    get reading() {
      return drawDiagram(reader?.reading ?? []);
    },
  };
}

class Reader<T> {
  readonly reading: Array<{ tick: number; letter: string }> = [];
  readonly #frames: readonly Frame[];
  readonly #stave: Stave;
  #at = 0;
  #timer: Timer | undefined;
  #settle: ((items: readonly T[] | undefined) => void) | undefined;

  constructor(frames: readonly Frame[], stave: Stave) {
    this.#frames = frames;
    this.#stave = stave;
  }

  read(max: number): readonly T[] | undefined | Promise<readonly T[] | undefined> {
    if (this.reading.length === 0) this.#note('^');
    const next = this.#frames[this.#at];
    const waitMs = next === undefined ? Number.POSITIVE_INFINITY : this.#stave.msUntil(next.tick);
    if (waitMs <= 0) return this.#give(max);
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      if (next === undefined) return;
      this.#timer = this.#stave.clock.setTimer(() => {
        try {
          resolve(this.#give(max));
        } catch (error) {
          reject(error);
        }
      }, waitMs);
    });
  }

  close(): void {
    this.#note('!');
    this.drain();
  }

  drain(): void {
    this.#timer?.clear();
    this.#settle?.(undefined);
  }

  #give(max: number): readonly T[] | undefined {
    const items: T[] = [];
    for (; items.length < max; this.#at++) {
      const frame = this.#frames[this.#at];
      if (frame?.kind !== 'item' || this.#stave.msUntil(frame.tick) > 0) break;
      items.push(this.#stave.valueOf(frame.letter) as T);
    }
    if (items.length > 0) return items;
    if (this.#frames[this.#at]?.kind === '#') throw this.#stave.failure();
    return undefined;
  }

  #note(letter: string): void {
    this.reading.push({ tick: this.#stave.tick(), letter });
  }
}
