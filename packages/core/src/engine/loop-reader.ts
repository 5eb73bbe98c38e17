import type { LoopInput } from './group-plan.js';
import { readerSource } from './reader-source.js';
import type { LoopSpec, NodeSpec, SourceReader } from './spec.js';

/** The same source as one that is asked for its items one by one, instead of being part of a loop. */
export function readerOf(loop: LoopSpec): NodeSpec {
  return readerSource(loop.name, () => (loop.kind === 'iterator' ? new IterationReader(loop) : new PlaceReader(loop)));
}

/** Gives items that are known by their place: of an array, a range, or made by a function of it. */
class PlaceReader implements SourceReader<unknown> {
  readonly #loop: LoopSpec;
  #opened: LoopInput | undefined;
  #at = 0;

  constructor(loop: LoopSpec) {
    this.#loop = loop;
  }

  read(): readonly unknown[] | undefined {
    this.#opened ??= this.#loop.open();
    const { input, start = 0, by = 1, end = 0 } = this.#opened;
    const at = this.#at;
    const { kind } = this.#loop;
    if (kind === 'array' ? at >= (input as ArrayLike<unknown>).length : kind === 'range' && at >= end) return undefined;
    this.#at++;
    if (kind === 'range') return [start + at * by];
    return [kind === 'array' ? (input as ArrayLike<unknown>)[at] : (input as (index: number) => unknown)(at)];
  }

  close(): void {}

  position(): number {
    return this.#at;
  }

  resume(position: unknown): void {
    this.#at = position as number;
  }
}

class IterationReader implements SourceReader<unknown> {
  readonly #loop: LoopSpec;
  #iterator: Iterator<unknown> | undefined;

  constructor(loop: LoopSpec) {
    this.#loop = loop;
  }

  read(): readonly unknown[] | undefined {
    const iterator = this.#iterator ?? (this.#loop.open().input as Iterator<unknown>);
    // One that has ended or thrown is not told to return.
    this.#iterator = undefined;
    const { done, value } = iterator.next();
    if (done === true) return undefined;
    this.#iterator = iterator;
    return [value];
  }

  close(): void {
    this.#iterator?.return?.();
  }
}
