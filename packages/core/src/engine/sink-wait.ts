import type { RunContext } from './context.js';
import type { GroupPlan } from './group-plan.js';
import type { MachineState } from './machine.js';

/**
 * Waits for the promise that the sink at the end of a group gave, with its item inside meanwhile.
 *
 * @param isClosed - Whether the group is closed: then the item has been counted as abandoned.
 * @param done - Is told when the promise has settled, and what it rejected with.
 */
export function waitForSink(
  { shape, weights }: GroupPlan,
  state: MachineState,
  run: RunContext,
  isClosed: () => boolean,
  done: (problem?: { readonly thrown: unknown }) => void,
): void {
  const at = shape.steps.length;
  const weight = weights[at] as number;
  const waitsFor = state.waitsFor as PromiseLike<unknown>;
  const settle = (): void => {
    state.waitsFor = undefined;
    run.inside(-weight);
  };
  // The loop has counted the item as finished.
  run.inside(weight);
  // Anything else with a `then` may call back from inside it, or throw.
  const promise = waitsFor instanceof Promise ? waitsFor : Promise.resolve(waitsFor);
  promise.then(
    (value) => {
      if (isClosed()) return;
      settle();
      if (shape.sink.resumed !== undefined) state.states[at] = shape.sink.resumed(state.states[at], value);
      done();
    },
    (thrown: unknown) => {
      if (isClosed()) return run.alsoFailed(thrown);
      settle();
      done({ thrown });
    },
  );
}
