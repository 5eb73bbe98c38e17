import { isThenable } from '../engine/answer.js';
import { readerSource } from '../engine/reader-source.js';
import { type Hears, LATER, type SourceSpec, type TellingReader } from '../engine/spec.js';
import { PipelineError } from '../errors.js';
import { checkOptions, wrongType } from '../internal/arguments.js';
import { Pipeline } from '../pipeline.js';
import { StreamReader } from './stream-reader.js';

/** What items can be read from. */
export type ReadableItems<T> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>;

/** The same, or a promise of it, or a function that gives either. */
export type Streamable<T> =
  | ReadableItems<T>
  | PromiseLike<ReadableItems<T>>
  | (() => ReadableItems<T> | PromiseLike<ReadableItems<T>>);

/**
 * Begins a pipeline with the items of anything that can be read.
 *
 * Arrays, other iterables and functions that make one (generator functions) are opened anew for each run; a stream or an
 * iterator can be read once: a second run of a stream fails, one of an iterator has what is left. Nothing is opened before a run asks for an item. An item that is a promise is passed on as
 * it is; an async iterable is awaited one item at a time.
 *
 * @typeParam T - The items.
 * @param source - An iterable, an async iterable, a `ReadableStream`, a promise of one, or a function that gives one or a
 *   promise of one: a generator function, or an asynchronous function that opens something for each run.
 * @param options - `name` (default: the kind of the source).
 * @returns A pipeline of the items.
 * @throws TypeError `ERR_CORE_ARGUMENT` when nothing can be read from `source`.
 * @remarks Elsewhere: RxJS `from`; Rust `stream::iter`; Akka `Source.apply`, `Source.future`; Node `Readable.from`.
 *
 * @example From a generator function
 * ```ts
 * const letters = from(function* () {
 *   yield 'a';
 *   yield 'b';
 * });
 * assert.deepEqual(await letters.toArray(), ['a', 'b']);
 * ```
 *
 * @example A stream that is opened for each run
 * ```ts
 * const open = async () => new Blob(['abc']).stream();
 * const sizes = from(open).pipeThrough(map((chunk) => chunk.length));
 * assert.deepEqual([await sizes.toArray(), await sizes.toArray()], [[3], [3]]);
 * ```
 */
export function from<T>(source: Streamable<T>, options: { readonly name?: string } = {}): Pipeline<T> {
  checkOptions('from()', options, ['name']);
  if (source instanceof Pipeline) return source as Pipeline<T>;
  return new Pipeline<T>(sourceOf(source, options.name));
}

function sourceOf(source: unknown, name?: string): SourceSpec {
  if (Array.isArray(source) || isTypedArray(source)) {
    return { type: 'loop', name: name ?? 'array', kind: 'array', open: () => ({ input: source }) };
  }
  if (typeof source === 'function') return functionSource(source as () => unknown, name);
  if (isThenable(source)) return anySource(name ?? 'promise', () => source, source);
  if (source instanceof ReadableStream) return anySource(name ?? 'stream', () => source, source);
  if (hasMethod(source, Symbol.asyncIterator)) return anySource(name ?? 'async iterable', () => source);
  if (typeof source === 'object' && hasMethod(source, Symbol.iterator)) {
    return {
      type: 'loop',
      name: name ?? 'iterable',
      kind: 'iterator',
      open: () => ({ input: (source as Iterable<unknown>)[Symbol.iterator]() }),
    };
  }
  throw wrongType('from()', 'source', source, READABLE);
}

const READABLE = 'an iterable, an async iterable, a ReadableStream, a function that makes one, or a promise of one';

/** A function is only called when a run begins; generator functions say beforehand what they make. */
function functionSource(make: () => unknown, name?: string): SourceSpec {
  if (Object.prototype.toString.call(make) === '[object GeneratorFunction]') {
    return {
      type: 'loop',
      name: name ?? (make.name || 'generator'),
      kind: 'iterator',
      open: () => ({ input: (make() as Iterable<unknown>)[Symbol.iterator]() }),
    };
  }
  return anySource(name ?? (make.name || 'function'), make);
}

function anySource(name: string, make: () => unknown, given?: unknown): SourceSpec {
  return readerSource(name, () => new AnyReader(make, given));
}

/** Opens what it is given on the first read, once that is known. */
class AnyReader implements TellingReader<unknown> {
  readonly #make: () => unknown;
  /** A stream, or a promise of one, that is let go of even if nothing is ever read from it. */
  #given: unknown;
  #reader: TellingReader<unknown> | undefined;
  #isClosed = false;

  constructor(make: () => unknown, given: unknown) {
    this.#make = make;
    this.#given = given;
  }

  read(max: number, hears: Hears<unknown>): ReturnType<TellingReader<unknown>['read']> {
    if (this.#reader !== undefined) return this.#reader.read(max, hears);
    this.#given = undefined;
    const made = this.#make();
    if (!isThenable(made)) return this.#open(made).read(max, hears);
    Promise.resolve(made).then((source) => this.#readFirst(source, max, hears), hears.onError);
    return LATER;
  }

  close(reason: unknown): void | PromiseLike<unknown> {
    this.#isClosed = true;
    return this.#reader === undefined ? letGo(this.#given, reason) : this.#reader.close(reason);
  }

  #open(source: unknown): TellingReader<unknown> {
    this.#reader = openReader(source);
    return this.#reader;
  }

  /** Tells what the first read gives of a source that took time to open. */
  #readFirst(source: unknown, max: number, hears: Hears<unknown>): void {
    let read: ReturnType<TellingReader<unknown>['read']>;
    try {
      const reader = this.#open(source);
      // Nobody waits for it any more; an error of this clean-up has no run to be reported to.
      if (this.#isClosed) Promise.resolve(reader.close(undefined)).catch(() => {});
      read = this.#isClosed ? undefined : reader.read(max, hears);
    } catch (error) {
      return hears.onError(error);
    }
    if (read === LATER) return;
    if (isThenable(read)) read.then(hears.onItems as (items: unknown) => void, hears.onError);
    else hears.onItems(read as readonly unknown[] | undefined);
  }
}

/** Cancels a stream that was given and never opened. */
function letGo(given: unknown, reason: unknown): void | Promise<void> {
  if (given instanceof ReadableStream) return given.locked ? undefined : given.cancel(reason);
  // Nobody waits for what was promised any more; an error of this clean-up has no run to be reported to.
  if (isThenable(given))
    Promise.resolve(given)
      .then((source) => letGo(source, reason))
      .catch(() => {});
}

function openReader(source: unknown): TellingReader<unknown> {
  if (source instanceof ReadableStream) return new StreamReader<unknown>(readerOf(source));
  if (hasMethod(source, Symbol.asyncIterator)) {
    return new IteratorReader((source as AsyncIterable<unknown>)[Symbol.asyncIterator]());
  }
  if (typeof source === 'object' && hasMethod(source, Symbol.iterator)) {
    return new IteratorReader((source as Iterable<unknown>)[Symbol.iterator]());
  }
  throw wrongType('from()', 'what the source gave', source, READABLE);
}

/** The streams that runs have read, to their end or to where the run closed them: in another there is nothing left. */
const read = new WeakSet<ReadableStream<unknown>>();

/** Locks a stream for the run. */
function readerOf(stream: ReadableStream<unknown>): ReadableStreamDefaultReader<unknown> {
  const is = stream.locked ? 'is locked' : read.has(stream) ? 'was read by another run' : undefined;
  if (is === undefined) {
    read.add(stream);
    return stream.getReader();
  }
  throw new PipelineError(
    'ERR_CORE_SOURCE_USED',
    `Cannot read the stream: it ${is} (must be one that nobody reads: give from() a function that makes one for each run)`,
  );
}

class IteratorReader implements TellingReader<unknown> {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  /** Whether it has ended or thrown: then, as in `for await`, it is not told to return. */
  #isDone = false;
  #hears: Hears<unknown> | undefined;

  constructor(iterator: AsyncIterator<unknown> | Iterator<unknown>) {
    this.#iterator = iterator;
  }

  read(_max: number, hears: Hears<unknown>): ReturnType<TellingReader<unknown>['read']> {
    this.#hears = hears;
    try {
      const next = this.#iterator.next();
      if (next instanceof Promise) next.then(this.#onResult, this.#onRejected);
      else if (!isThenable(next)) return this.#take(next);
      // Anything else with a `then` may call back from inside it, or throw.
      else Promise.resolve(next as PromiseLike<IteratorResult<unknown>>).then(this.#onResult, this.#onRejected);
      return LATER;
    } catch (error) {
      this.#isDone = true;
      throw error;
    }
  }

  close(): void | PromiseLike<unknown> {
    return this.#isDone ? undefined : (this.#iterator.return?.() as void | PromiseLike<unknown>);
  }

  readonly #onResult = (result: IteratorResult<unknown>): void => {
    let items: readonly unknown[] | undefined;
    try {
      items = this.#take(result);
    } catch (error) {
      return this.#onRejected(error);
    }
    this.#hears?.onItems(items);
  };

  readonly #onRejected = (error: unknown): void => {
    this.#isDone = true;
    this.#hears?.onError(error);
  };

  #take(result: IteratorResult<unknown>): readonly unknown[] | undefined {
    this.#isDone = result.done === true;
    return itemsOf(result);
  }
}

function itemsOf(result: { readonly done?: boolean; readonly value?: unknown }): readonly unknown[] | undefined {
  return result.done === true ? undefined : [result.value];
}

function hasMethod(value: unknown, name: symbol): boolean {
  return value !== null && value !== undefined && typeof (value as Record<symbol, unknown>)[name] === 'function';
}

function isTypedArray(value: unknown): value is ArrayLike<unknown> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
