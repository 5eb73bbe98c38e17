import { type Pipeline, PipelineError, type RunOptions } from '@millrace/core';
import { checkMs, checkOptions, outOfRange } from '@millrace/core/authoring';
import { isSame, show } from '../same.js';
import { type VirtualClock, virtualClock } from '../virtual-clock.js';
import { type Diagram, drawDiagram, type Frame, readDiagram } from './diagram.js';
import { type MarbleSource, marbleSource, type Stave } from './marble-source.js';

/** What the letters mean, and how long a tick is. */
export interface MarblesOptions {
  /** The item that each letter stands for, in sources and expectations. Default: the letter itself. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** What `#` in a source fails with, and what an expected `#` must have failed with. Default: an error; any. */
  readonly error?: unknown;
  /** How long one tick is in milliseconds. Default: 1. */
  readonly tickMs?: number;
}

/** Sources and expectations as diagrams, all on one clock. */
export interface Marbles {
  /** The time of the diagrams; every run that {@link Marbles.expect} starts has it. */
  readonly clock: VirtualClock;
  /** Makes a source that gives what a diagram shows. An item whose time comes while nobody asks waits. */
  source<T = unknown>(diagram: string): MarbleSource<T>;
  /**
   * Runs a pipeline and compares what comes, and when, with a diagram; looks no further than the diagram goes.
   *
   * @throws PipelineError `ERR_TESTKIT_MARBLES`, with a diagram of what came.
   */
  expect(pipeline: Pipeline<unknown>, diagram: string, options?: Omit<RunOptions, 'clock'>): Promise<void>;
}

/**
 * Tests what comes when, with diagrams for sources and results, under virtual time.
 *
 * | in a diagram | means |
 * | --- | --- |
 * | `-` | a tick in which nothing happens |
 * | `a` `b` `1` … | an item; takes a tick, as everything but a space does |
 * | `(ab)` | several things in one tick |
 * | `\|` | the end |
 * | `#` | a failure |
 * | `!` | in an expectation: here the consumer goes |
 * | space | nothing, for looks |
 *
 * `source.reading` is a diagram too: `^` where the source was first asked for an item, `!` where it was let go of.
 *
 * @param options - `values`, `error`, `tickMs`; see {@link MarblesOptions}.
 * @returns Makes sources and tells whether results are as expected.
 *
 * @example A batch waits at most three ticks
 * ```ts
 * import { batch } from '@millrace/core';
 * const { source, expect } = marbles({ values: { x: ['a', 'b'], y: ['c'] } });
 * const stage = batch<string>({ maxItems: 2, maxWaitMs: 3 });
 * await expect(source<string>('a-b--c------|').pipeline.pipeThrough(stage), '--x-----y---|');
 * ```
 *
 * @example The source is let go of when the consumer goes
 * ```ts
 * const { source, expect } = marbles();
 * const letters = source('a-b-c-d|');
 * await expect(letters.pipeline, 'a-b!');
 * assert.equal(letters.reading, '^--!');
 * ```
 */
export function marbles(options: MarblesOptions = {}): Marbles {
  checkOptions('marbles()', options, ['values', 'error', 'tickMs']);
  const { tickMs = 1 } = options;
  checkMs('marbles()', 'tickMs', tickMs, 0);
  if (tickMs === 0) throw outOfRange('marbles()', 'tickMs', tickMs, 'above 0');
  const score = new Score(options, tickMs);
  return {
    clock: score.clock,
    source: (diagram) => marbleSource(readDiagram('source()', diagram, false), score),
    expect: (pipeline, diagram, runOptions = {}) =>
      score.expect(pipeline, readDiagram('expect()', diagram, true), runOptions),
  };
}

/** Something that came; its letter is known when it is compared. */
interface Came {
  readonly tick: number;
  readonly kind: Frame['kind'];
  readonly value: unknown;
}

/** How many ticks a run that should have ended is watched, for the message. */
const PATIENCE_TICKS = 1000;

class Score implements Stave {
  readonly clock: VirtualClock = virtualClock();
  readonly #options: MarblesOptions;
  readonly #tickMs: number;
  #beganMs = 0;

  constructor(options: MarblesOptions, tickMs: number) {
    this.#options = options;
    this.#tickMs = tickMs;
  }

  tick(): number {
    return Math.floor((this.clock.now() - this.#beganMs) / this.#tickMs);
  }

  msUntil(tick: number): number {
    return this.#beganMs + tick * this.#tickMs - this.clock.now();
  }

  valueOf(letter: string): unknown {
    const { values = {} } = this.#options;
    return Object.hasOwn(values, letter) ? values[letter] : letter;
  }

  failure(): unknown {
    return 'error' in this.#options ? this.#options.error : new Error('#');
  }

  async expect(pipeline: Pipeline<unknown>, diagram: Diagram, options: RunOptions): Promise<void> {
    this.#beganMs = this.clock.now();
    const came: Came[] = [];
    const note = (kind: Frame['kind'], value?: unknown): number => came.push({ tick: this.tick(), kind, value });
    const run = pipeline.run((item) => void note('item', item), { ...options, clock: this.clock });
    const gone = new Error('the consumer goes');
    const over = run.finished.then(
      () => void note('|'),
      (error: unknown) => void note(error === gone ? '!' : '#', error),
    );
    const last = diagram.frames.at(-1);
    for (let tick = 0; tick < diagram.ticks; tick++) {
      await this.clock.advance(tick === 0 ? 0 : this.#tickMs);
      if (last?.kind === '!' && tick === last.tick) run.abort(gone);
    }
    await this.clock.settle();
    const isEnd = ({ kind }: Came): boolean => kind !== 'item';
    const watched = last !== undefined && last.kind !== 'item';
    while (watched && !came.some(isEnd) && this.tick() < diagram.ticks + PATIENCE_TICKS) {
      if (!(await this.clock.advanceToNext())) break;
    }
    const seen = [...came];
    run.abort(gone);
    await this.clock.until(over);
    this.#compare(seen, diagram);
  }

  #compare(came: readonly Came[], { frames, text }: Diagram): void {
    const unnamed: string[] = [];
    const drawn = came.map((each, at) => {
      const frame = frames[at];
      const letter = frame !== undefined && this.#is(each, frame) ? frame.letter : this.#letterOf(each, unnamed);
      return { tick: each.tick, letter };
    });
    const isAsExpected =
      came.length === frames.length &&
      frames.every((frame, at) => frame.tick === came[at]?.tick && this.#is(came[at] as Came, frame));
    if (isAsExpected) return;
    const where = unnamed.length === 0 ? '' : `, where ${unnamed.join(', ')}`;
    throw new PipelineError(
      'ERR_TESTKIT_MARBLES',
      `Cannot accept what came: it is "${drawDiagram(drawn)}"${where} (must be "${text}")`,
    );
  }

  #is(came: Came, frame: Frame): boolean {
    if (came.kind !== frame.kind) return false;
    if (frame.kind === 'item') return isSame(came.value, this.valueOf(frame.letter));
    if (frame.kind !== '#' || !('error' in this.#options)) return true;
    const { error } = this.#options;
    return came.value === error || (came.value as Error).cause === error;
  }

  #letterOf({ kind, value }: Came, unnamed: string[]): string {
    if (kind === '#') {
      unnamed.push(`# is ${String(value)}`);
      return '#';
    }
    if (kind !== 'item') return kind;
    const known = Object.entries(this.#options.values ?? {}).find(([, each]) => isSame(value, each))?.[0];
    if (known !== undefined) return known;
    if (typeof value === 'string' && [...value].length === 1) return value;
    unnamed.push(`? is ${show([value]).slice(1, -1)}`);
    return '?';
  }
}
