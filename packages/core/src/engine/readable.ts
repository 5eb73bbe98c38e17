import { spend, whenMyTurn } from './budget.js';
import type { RunEnd } from './execution.js';
import type { Outlet } from './outlet.js';

/**
 * Runs a pipeline on the demand of a ReadableStream.
 *
 * @param errorOf - What the stream errors with, of what the run failed with.
 * @param taken - Called when an item has been handed to the stream.
 */
export function readableOf(
  outlet: Outlet<RunEnd>,
  highWaterMark: number,
  errorOf: (reason: unknown) => unknown,
  taken: () => void = () => {},
): ReadableStream<unknown> {
  let isCancelled = false;
  let isPulled: (() => void) | undefined;
  return new ReadableStream<unknown>(
    {
      start(controller) {
        outlet.over().then(({ failure }) => {
          isPulled?.();
          if (isCancelled) return;
          if (failure === undefined) controller.close();
          else controller.error(errorOf(failure.reason));
        });
      },
      pull(controller) {
        if (outlet.isOver) return undefined;
        const pull = (): void => {
          if (outlet.isOver) return;
          outlet.pull(1, (items) => {
            consumed(outlet, items.length);
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
        outlet.finish({ reason });
        await outlet.over();
      },
    },
    { highWaterMark },
  );
}

/** Counts items as finished by a sink that is not fused. */
export function consumed(outlet: Outlet<RunEnd>, items: number): void {
  const { sink } = outlet;
  if (sink === undefined) return;
  sink.counts.in += items;
  sink.counts.out += items;
  sink.inside(-items * sink.weight);
}
