import type { Puller } from './answer.js';
import type { OpenStageContext, StageContext } from './context.js';
import { Edge } from './edge.js';
import { Group } from './group.js';
import type { GroupPlan } from './group-plan.js';
import type { PlanNode } from './plan.js';

/** What waits before a group. */
export interface EdgePlan {
  readonly highWaterMark: number;
  readonly isEager: boolean;
}

/** What a group is in a plan, beside its loop. */
export interface GroupPlaces {
  /** The stage of the source that the loop takes items from itself. */
  readonly source: number | undefined;
  readonly stages: readonly number[];
  readonly edge: EdgePlan | undefined;
  readonly from: readonly number[];
}

/** Steps that run as one loop, with the source and the sink that are part of it. */
export function groupNode(group: GroupPlan, { source, stages, edge, from }: GroupPlaces): PlanNode {
  return {
    type: 'group',
    stage: (stages.at(-1) ?? source) as number,
    from,
    group,
    stages,
    hasSource: source !== undefined,
    hasEdge: edge !== undefined,
    open(nodes, at) {
      const contexts = stages.map((stage) => nodes.context(stage));
      const upstream = from.length === 0 ? undefined : nodes.before(from);
      const before = upstream && edge && edgeOf(edge, group, upstream, contexts);
      const own = source === undefined ? undefined : nodes.context(source);
      const opened = new Group(group, nodes.run, { source: own, stages: contexts }, before ?? upstream, before);
      if (source !== undefined) nodes.readers.push(() => opened.sourceCounts());
      contexts.forEach((_, step) => void nodes.readers.push(() => opened.counts(step)));
      nodes.groups[at] = opened;
      return opened;
    },
  };
}

function edgeOf(
  { highWaterMark, isEager }: EdgePlan,
  { shape }: GroupPlan,
  upstream: Puller<unknown>,
  contexts: readonly OpenStageContext[],
): Edge | undefined {
  const isUsed = isEager || shape.sink.waits || shape.steps.some((step) => step.cursor !== undefined);
  return isUsed ? new Edge(upstream, highWaterMark, contexts[0] as StageContext, isEager) : undefined;
}
