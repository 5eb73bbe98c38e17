import { Keyed } from './keyed.js';
import { IN_HAND, type KeyedSpec } from './keyed-parts.js';
import { isLaneLoop, LaneLoops } from './lane-loop.js';
import { OpenNodes } from './open-nodes.js';
import type { PlanNode } from './plan.js';
import type { Planner } from './planner.js';
import type { NestedSpec, NodeSpec } from './spec.js';
import type { Tail } from './tail.js';

/** The items of one key, inside the sub-pipeline of a keyed stage. */
export function feedSource(): NodeSpec {
  return { type: 'node', name: 'another branch', inputs: [], plan: (planner) => planner.feed as Tail };
}

/** A stage with a sub-pipeline for each key. */
export function keyedStage(spec: KeyedSpec, name: string): NestedSpec {
  return {
    type: 'nested',
    name,
    plan(planner, before) {
      return planKeyed(spec, this.name, planner, before);
    },
  };
}

/** Plans the sub-pipeline once, for all keys. */
function planKeyed(spec: KeyedSpec, name: string, planner: Planner, before: Tail): Tail {
  const { maxKeys, highWaterMark, size } = spec;
  const stage = planner.stage(name, 'split', before);
  const waiting = maxKeys * highWaterMark;
  if (size === undefined) planner.room(stage, 'edge', (IN_HAND + waiting) * before.most);
  else {
    planner.room(stage, 'in hand', IN_HAND * before.most);
    planner.room(stage, 'edge', waiting * before.most, waiting);
  }
  const { from } = before;
  // What is at this place is known when the sub-pipeline has been planned.
  const at = planner.node({ type: 'keyed', stage, from });
  let merge = -1;
  const inner = planner.nested(maxKeys, { ...before, from: [at], inputs: [stage], paths: [] }, () => {
    const tail = planner.chain(spec.inner, undefined);
    merge = planner.stage(`${planner.nameOf(stage)} merge`, 'merge', tail);
    planner.room(merge, 'edge', tail.most);
    return tail;
  });
  const last = planner.node({ type: 'gather', stage: merge, from: inner.from });
  planner.nodes[at] = keyedNode(spec, { stage, merge, from, end: inner.from[0] as number, last });
  return { ...inner, from: [last], inputs: [merge], paths: before.paths };
}

/** Where a keyed stage is in a plan. */
interface KeyedPlaces {
  readonly stage: number;
  /** The stage that gathers what the sub-pipelines make. */
  readonly merge: number;
  readonly from: readonly number[];
  /** The last node of a sub-pipeline; that of the stage itself where it is empty. */
  readonly end: number;
  /** The node that gathers what they make. */
  readonly last: number;
}

/** Tells items apart by key, opens the nodes of each, and gathers what they make. */
function keyedNode(spec: KeyedSpec, { stage, merge, from, end, last }: KeyedPlaces): PlanNode {
  return {
    type: 'keyed',
    stage,
    from,
    last,
    isQueue: true,
    obstacle: 'keeps a sub-pipeline for each key, whose state is not saved (must be another stage',
    open(nodes, at) {
      const { plan, run } = nodes;
      const stages = merge - stage - 1;
      const keyed = new Keyed(spec, {
        upstream: nodes.before(from),
        run,
        split: nodes.stage(stage),
        merge: nodes.context(merge),
        stages,
        open: (feed) => {
          const own = new OpenNodes(plan, run, { at, feed });
          return { root: own.puller(end), readers: own.readers };
        },
        loops: () => (end === at + 1 && last === at + 2 ? laneLoops(nodes, plan.nodes[end] as PlanNode) : undefined),
      });
      for (let each = 0; each < stages; each++) nodes.readers.push(() => keyed.counts(each));
      nodes.stage(merge);
      return keyed;
    },
  };
}

/** The loops of all keys, where a sub-pipeline is one loop and nothing else, and nobody asks how long its steps take. */
function laneLoops({ plan, run }: OpenNodes, { group, stages = [], hasEdge }: PlanNode): LaneLoops | undefined {
  if (group === undefined || hasEdge || run.isTimed || run.origin !== undefined || !isLaneLoop(group)) return undefined;
  const contexts = stages.map((stage) => {
    const { name, node, weight } = plan.stages[stage] as { name: string; node: number; weight: number };
    return run.stage(name, node, weight);
  });
  return new LaneLoops(group, run, contexts);
}
