import { spend, whenMyTurn } from './budget.js';
import type { Execution } from './execution.js';

/**
 * Runs a pipeline on the demand of a ReadableStream.
 *
 * @param errorOf - What the stream errors with, of what the run failed with.
 * @param taken - Called when an item has been handed to the stream.
 */
export function readableOf(
  execution: Execution,
  highWaterMark: number,
  errorOf: (reason: unknown) => unknown,
  taken: () => void = () => {},
): ReadableStream<unknown> {
  let isCancelled = false;
  let isPulled: (() => void) | undefined;
  return new ReadableStream<unknown>(
    {
      start(controller) {
        execution.over().then(({ failure }) => {
          isPulled?.();
          if (isCancelled) return;
          if (failure === undefined) controller.close();
          else controller.error(errorOf(failure.reason));
        });
      },
      pull(controller) {
        if (execution.context.isOver) return undefined;
        const pull = (): void => {
          if (execution.context.isOver) return;
          execution.pull(1, (items) => {
            consumed(execution, items.length);
            for (const item of items) controller.enqueue(item);
            taken();
            isPulled?.();
          });
        };
        const pulled = new Promise<void>((resolve) => {
          isPulled = resolve;
        });
        if (spend(1)) whenMyTurn(pull);
        else pull();
        return pulled;
      },
      async cancel(reason) {
        isCancelled = true;
        execution.finish({ reason });
        await execution.over();
      },
    },
    { highWaterMark },
  );
}

/** Counts items as finished by a sink that is not fused. */
export function consumed(execution: Execution, items: number): void {
  const { sink } = execution;
  if (sink === undefined) return;
  sink.counts.in += items;
  sink.counts.out += items;
  sink.inside(-items * sink.weight);
}
