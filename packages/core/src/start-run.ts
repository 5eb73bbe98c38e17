import { checkRunOptions } from './engine/check-run-options.js';
import { Execution, type RunOptions } from './engine/execution.js';
import type { Plan, PlannedStage } from './engine/plan.js';
import { type EndedChain, makePlan } from './engine/planner.js';
import type { Chain } from './engine/spec.js';
import { PipelineError } from './errors.js';
import type { Attachment } from './sinks/attach.js';

/** Checks the options of a run and plans it. */
export function planRun(where: string, chains: readonly EndedChain[], options: RunOptions): Plan {
  checkRunOptions(where, options);
  const { fuse = true, generate = true, maxInFlight, maxBytesInFlight: maxBytes } = options;
  const isTimed = options.observer !== undefined;
  const plan = makePlan(chains, { fuse, generate, isTimed, maxInFlight, maxBytes, carries: options.context === true });
  if (options.checkpoint !== undefined) refuseObstacles(plan);
  return plan;
}

/** Starts chains with sinks as one run. */
export function startRun(
  where: string,
  deliveries: ReadonlyArray<Chain & { readonly sink: Attachment }>,
  options: RunOptions,
): Execution {
  for (const { sink } of deliveries) sink.check(where);
  const chains = deliveries.map(({ source, specs, sink }) => ({ source, specs, sink: sink.spec }));
  const execution = new Execution(planRun(where, chains, options), options);
  try {
    execution.outlets.forEach((outlet, at) => void deliveries[at]?.sink.begin(outlet));
  } catch (error) {
    // One writable was given twice: nothing has run yet, and nothing may.
    execution.abort(error);
    throw error;
  }
  return execution;
}

/** What a barrier cannot pass, or keeps what can't be saved. */
function refuseObstacles({ nodes, stages }: Plan): void {
  for (const { obstacle, stage } of nodes) {
    if (obstacle === undefined) continue;
    const { name } = stages[stage] as PlannedStage;
    throw new PipelineError(
      'ERR_CORE_CHECKPOINT',
      `Cannot build the pipeline: stage "${name}" ${obstacle}, under a checkpoint)`,
    );
  }
}
