import type { Mixed } from '../pollution.js';
import {
  addCodes,
  addTemps,
  BATCH,
  type Coded,
  calibrate,
  encode,
  grade,
  isMild,
  isPlausible,
  isWanted,
  type Judged,
  judge,
  type Reading,
  toFahrenheit,
} from '../readings.js';

/** The constructors of the Streams standard, native or another package's. */
export interface Streams {
  readonly ReadableStream: typeof ReadableStream;
  readonly TransformStream: typeof TransformStream;
  readonly WritableStream: typeof WritableStream;
}

/** The same work on any implementation of the Streams standard. */
export interface OnStreams {
  four(readings: readonly Reading[]): Promise<number>;
  eight(readings: readonly Reading[]): Promise<number>;
  run(pipeline: Mixed): Promise<number>;
  /** The 4 steps over a stream that is given, one transform after the other. */
  fourOf(readings: ReadableStream<Reading>): Promise<number>;
}

/** A source that is read item by item. */
export function streamOf<T>(
  items: readonly T[],
  { ReadableStream: Readable }: Pick<Streams, 'ReadableStream'>,
): ReadableStream<T> {
  let at = 0;
  return new Readable<T>({
    pull(controller) {
      if (at < items.length) controller.enqueue(items[at++] as T);
      else controller.close();
    },
  });
}

/** Writes the work for an implementation. */
export function onStreams(streams: Streams): OnStreams {
  const { TransformStream: Transform, WritableStream: Writable } = streams;
  const mapping = <I, O>(fn: (item: I) => O): TransformStream<I, O> =>
    new Transform({
      transform(item, controller) {
        controller.enqueue(fn(item));
      },
    });
  const filtering = <T>(fn: (item: T) => boolean): TransformStream<T, T> =>
    new Transform({
      transform(item, controller) {
        if (fn(item)) controller.enqueue(item);
      },
    });
  const taking = <T>(count: number): TransformStream<T, T> => {
    let taken = 0;
    return filtering(() => taken++ < count);
  };
  const batching = <T>(size: number): TransformStream<T, T[]> => {
    let batch: T[] = [];
    return new Transform({
      transform(item, controller) {
        batch.push(item);
        if (batch.length < size) return;
        controller.enqueue(batch);
        batch = [];
      },
      flush(controller) {
        if (batch.length > 0) controller.enqueue(batch);
      },
    });
  };
  const adding = async <B>(
    source: ReadableStream<B[]>,
    add: (total: number, batch: readonly B[]) => number,
  ): Promise<number> => {
    let total = 0;
    const sink = new Writable<B[]>({
      write(batch) {
        total = add(total, batch);
      },
    });
    await source.pipeTo(sink);
    return total;
  };
  const judged = (source: ReadableStream<Reading>): ReadableStream<Judged> =>
    source
      .pipeThrough(filtering(isPlausible))
      .pipeThrough(mapping(toFahrenheit))
      .pipeThrough(mapping(judge))
      .pipeThrough(filtering(isWanted));
  const fourOf = (source: ReadableStream<Reading>): Promise<number> =>
    adding(judged(source).pipeThrough(batching<Judged>(BATCH)), addTemps);
  return {
    fourOf,
    four: (readings) => fourOf(streamOf(readings, streams)),
    eight(readings) {
      const coded = judged(streamOf(readings, streams))
        .pipeThrough(mapping(calibrate))
        .pipeThrough(filtering(isMild))
        .pipeThrough(mapping(grade))
        .pipeThrough(mapping(encode));
      return adding(coded.pipeThrough(batching<Coded>(BATCH)), addCodes);
    },
    run({ items, steps }) {
      let source: ReadableStream<unknown> = streamOf(items, streams);
      for (const step of steps) {
        if (step.kind === 'take') source = source.pipeThrough(taking(step.count));
        else source = source.pipeThrough(step.kind === 'map' ? mapping(step.fn as never) : filtering(step.fn as never));
      }
      return adding(source.pipeThrough(batching(7)), (count, batch) => count + batch.length);
    },
  };
}
