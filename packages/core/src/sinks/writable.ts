import type { SinkWriter } from '../engine/drive.js';
import type { Outlet } from '../engine/outlet.js';
import type { EdgeOptions } from '../stages/edge-options.js';

/**
 * What a sink is called, how much may wait before a writable stream, and how that is treated at the end.
 *
 * @typeParam T - The items.
 */
export interface WritableOptions<T = never> extends EdgeOptions<T> {
  /** What the sink is called in errors, plans, figures and checkpoints. Default: `'writable'`; of a function, `'forEach'`. */
  readonly name?: string | undefined;
  /** Leave the stream open when the pipeline ends. Default: `false`. */
  readonly preventClose?: boolean | undefined;
  /** Leave the stream as it is when the pipeline fails. Default: `false`. */
  readonly preventAbort?: boolean | undefined;
}

/** Writes to a WritableStream, one item at a time, so that what it refuses is known by its index. */
export function writableWriter(
  stream: WritableStream<unknown>,
  options: WritableOptions,
  outlet: Outlet,
): SinkWriter<unknown> {
  const writer = stream.getWriter();
  const release = (): void => writer.releaseLock();
  // A stream that errors on its own ends the run, even while nothing is written to it.
  writer.closed.catch((error: unknown) => {
    if (outlet.isOver) return;
    const sink = outlet.sink as NonNullable<Outlet['sink']>;
    outlet.finish({ reason: sink.failure(error, sink.counts.out).error });
  });
  return {
    write: (items) => writer.write(items[0]),
    close: () => (options.preventClose ? release() : writer.close().finally(release)),
    abort: (reason) => (options.preventAbort ? release() : writer.abort(reason).finally(release)),
  };
}
