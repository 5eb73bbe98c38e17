import { checkRunOptions } from './engine/check-run-options.js';
import { Execution, type RunOptions } from './engine/execution.js';
import type { JoinKind } from './engine/join.js';
import type { Plan, PlannedStage } from './engine/plan.js';
import { type EndedChain, makePlan } from './engine/planner.js';
import type { Chain, OperatorSpec } from './engine/spec.js';
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
  for (const node of nodes) {
    if (node.type !== 'operator' && node.type !== 'join' && node.type !== 'keyed') continue;
    const obstacle =
      node.type === 'keyed' ? KEYED : node.type === 'join' ? obstacleOf(node.join) : obstacleIn(node.spec);
    if (obstacle === undefined) continue;
    const { name } = stages[node.stage] as PlannedStage;
    throw new PipelineError(
      'ERR_CORE_CHECKPOINT',
      `Cannot build the pipeline: stage "${name}" ${obstacle}, under a checkpoint)`,
    );
  }
}

function obstacleIn({ isForeign, obstacle }: OperatorSpec): string | undefined {
  const is = isForeign ? 'is a foreign transform, which no barrier passes' : obstacle;
  return is === undefined ? undefined : `${is} (must be one of Millrace whose state can be saved`;
}

/** What waits in a join for an item of another input that is behind the barrier would hold it up for ever. */
function obstacleOf({ reads }: JoinKind): string | undefined {
  if (reads === 'one by one') return undefined;
  return 'waits for all of its inputs, which do not come to a barrier together (must be merge() or concat()';
}

const KEYED = 'keeps a sub-pipeline for each key, whose state is not saved (must be another stage';
