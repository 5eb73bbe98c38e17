import type { StageSpec } from './spec.js';

/** Where a stage keeps what it is made of. */
export const SPECS: unique symbol = Symbol('millrace.specs');

/** Carries the types of a stage, so that a mismatch is an error where two stages are joined. */
declare const FLOW: unique symbol;

/**
 * A description that turns a stream of `I` into a stream of `O`.
 *
 * In `pipeline.pipeThrough(stage)` it serves any number of pipelines. As a native `{ readable, writable }` pair, made on
 * first use, it serves once, as a `TransformStream` does.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 *
 * @example A stage in a pipe of native streams
 * ```ts
 * const words = new Blob(['a b']).stream().pipeThrough(new TextDecoderStream());
 * const loud = words.pipeThrough(map((text: string) => text.toUpperCase()));
 * assert.deepEqual(await from(loud).toArray(), ['A B']);
 * ```
 */
export interface Stage<I, O> {
  /** The end to read from; made, with `writable`, on first use. */
  readonly readable: ReadableStream<O>;
  /** The end to write to; made, with `readable`, on first use. */
  readonly writable: WritableStream<I>;
  /** @internal */
  readonly [SPECS]: readonly StageSpec[];
  /** @internal */
  readonly [FLOW]: (item: I) => O;
}

type Pair = { readonly readable: ReadableStream<unknown>; readonly writable: WritableStream<unknown> };

class SpecStage {
  readonly [SPECS]: readonly StageSpec[];
  readonly #open: (specs: readonly StageSpec[]) => Pair;
  #pair: Pair | undefined;

  constructor(specs: readonly StageSpec[], open: (specs: readonly StageSpec[]) => Pair) {
    this[SPECS] = specs;
    this.#open = open;
  }

  get readable(): ReadableStream<unknown> {
    return this.#opened().readable;
  }

  get writable(): WritableStream<unknown> {
    return this.#opened().writable;
  }

  #opened(): Pair {
    this.#pair ??= this.#open(this[SPECS]);
    return this.#pair;
  }
}

/** Makes a stage of its specification. */
export function stageOf<I, O>(spec: StageSpec, open: (specs: readonly StageSpec[]) => Pair): Stage<I, O> {
  return stageOfAll([spec], open);
}

/** Makes a stage of the specifications of several. */
export function stageOfAll<I, O>(
  specs: readonly StageSpec[],
  open: (specs: readonly StageSpec[]) => Pair,
): Stage<I, O> {
  return new SpecStage(specs, open) as unknown as Stage<I, O>;
}

/** Whether a value is a stage of Millrace's own. */
export function isStage(value: unknown): value is Stage<unknown, unknown> {
  return typeof value === 'object' && value !== null && SPECS in value;
}
