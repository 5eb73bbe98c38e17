import { PipelineError } from '../errors.js';
import { wrongType } from '../internal/arguments.js';
import { type Answer, END, Failure, isLater, isThenable, type Mark } from './answer.js';
import { spend, whenMyTurn } from './budget.js';
import { plain, within } from './carried.js';
import { whenAnswered } from './later.js';
import type { Outlet } from './outlet.js';

/** Writes for a sink that takes bursts. What it throws, or a promise it rejects, fails the run at that burst. */
export interface SinkWriter<T> {
  /** Takes a burst of 1 item or more; the next one comes when the promise has resolved. */
  write(items: readonly T[]): void | PromiseLike<unknown>;
  /** Makes durable what was written: called at a checkpoint, which waits for it. Default: it is when it is written. */
  flush?(): void | PromiseLike<unknown>;
  /** Finishes when all items were written. */
  close?(): void | PromiseLike<unknown>;
  /** Gives up when the run fails or is aborted, or when a drain has come to its deadline. */
  abort?(reason: unknown): void | PromiseLike<unknown>;
}

/** Pulls a group that ends with a sink until it is done. */
export function driveGroup(outlet: Outlet): void {
  const end = (answer: Answer<unknown>): void => {
    outlet.finish(answer instanceof Failure ? { reason: answer.error } : undefined);
  };
  const pulled = outlet.root.pull(Number.POSITIVE_INFINITY);
  if (isLater(pulled)) whenAnswered(pulled, end);
  else end(pulled);
}

/** Opens a sink and drives it; where it does not open, the run fails at it before anything was read. */
export function driveSink(outlet: Outlet, open: () => SinkWriter<unknown>, most: number): void {
  let writer: SinkWriter<unknown>;
  try {
    writer = open();
    if (typeof writer?.write !== 'function')
      throw wrongType('run()', 'what the sink opened', writer, 'an object with "write"');
  } catch (error) {
    return outlet.finish({ reason: outlet.sink?.failure(error, 0).error });
  }
  driveWriter(outlet, writer, most);
}

/** Pulls bursts of up to `most` items and hands them to a writer, one burst at a time. */
export function driveWriter(outlet: Outlet, writer: SinkWriter<unknown>, most: number): void {
  const { root, edge, context } = outlet;
  const sink = outlet.sink as NonNullable<Outlet['sink']>;
  let hasClosed = false;
  outlet.closeSink = (failure) => {
    // Without a failure a drain has come to its deadline, in the middle of a write.
    if (!hasClosed) return writer.abort?.(failure === undefined ? overdue() : failure.reason);
  };

  const loop = (): void => {
    while (!outlet.isOver) {
      const pulled = root.pull(most);
      if (isLater(pulled)) return whenAnswered(pulled, (answer) => take(answer) && loop());
      if (!take(pulled)) return;
    }
  };

  /** Whether to go on at once. */
  const take = (answer: Answer<unknown>): boolean => {
    if (outlet.isOver) return abandon(answer);
    if (Array.isArray(answer)) return write(answer);
    if (answer === END) close();
    else if (answer instanceof Failure) outlet.finish({ reason: answer.error });
    else return passed(answer);
    return false;
  };

  const write = (items: unknown[]): boolean => {
    const at = sink.counts.in;
    sink.counts.in += items.length;
    sink.counts.held = items.length;
    const began = sink.began();
    try {
      const written = context.origin === undefined ? writer.write(items) : writeCarried(writer, items);
      sink.worked(items.length, began);
      if (!isThenable(written)) return finished(items.length, began);
      edge?.fill();
      written.then(
        () => finished(items.length, began) && loop(),
        (error: unknown) => failed(error, at, items),
      );
    } catch (error) {
      failed(error, at, items);
    }
    return false;
  };

  /** Answers a barrier when what came before it is durable; says whether to go on at once. */
  const passed = (mark: Mark): boolean => {
    const { checkpoints } = context;
    if (mark.kind !== 'barrier' || checkpoints === undefined) return true;
    try {
      const flushed = writer.flush?.();
      if (!isThenable(flushed)) {
        checkpoints.answered(mark, root);
        return true;
      }
      flushed.then(
        () => {
          if (outlet.isOver) return;
          checkpoints.answered(mark, root);
          loop();
        },
        (error: unknown) => failed(error, sink.counts.in),
      );
    } catch (error) {
      failed(error, sink.counts.in);
    }
    return false;
  };

  const finished = (items: number, began: number): boolean => {
    sink.served(items, began);
    if (outlet.isOver) return false;
    sink.counts.held = 0;
    sink.counts.out += items;
    sink.inside(-items * sink.weight);
    if (!spend(items)) return true;
    whenMyTurn(loop);
    return false;
  };

  const failed = (error: unknown, at: number, items: readonly unknown[] = []): void => {
    const { error: reason } = sink.failure(error, at, 1, items[0]);
    if (outlet.isOver) return context.alsoFailed(reason);
    outlet.finish({ reason });
  };

  const close = (): void => {
    hasClosed = true;
    try {
      const closed = writer.close?.();
      if (!isThenable(closed)) return outlet.finish();
      closed.then(
        () => outlet.finish(),
        (error: unknown) => failed(error, sink.counts.in),
      );
    } catch (error) {
      failed(error, sink.counts.in);
    }
  };

  const abandon = (answer: Answer<unknown>): false => {
    if (Array.isArray(answer)) outlet.abandon(answer.length);
    return false;
  };

  loop();
}

/** A burst is written in the context of its last item, as a batch is worked on. */
function writeCarried(writer: SinkWriter<unknown>, items: readonly unknown[]): void | PromiseLike<unknown> {
  return within(items[items.length - 1], () => writer.write(items.map(plain)));
}

function overdue(): PipelineError {
  return new PipelineError('ERR_CORE_ABORTED', 'Cannot finish the run: it has come to the deadline of its drain');
}
