import type { Puller } from './answer.js';
import type { OpenStageContext, StageContext } from './context.js';
import { diamondWarnings } from './diamonds.js';
import { Edge } from './edge.js';
import type { JoinKind } from './join.js';
import type { LoadedJoin } from './load.js';
import type { MergeInput } from './merge-input.js';
import type { OpenNodes } from './open-nodes.js';
import type { PlanNode } from './plan.js';
import type { Planner } from './planner.js';
import type { SizeOf } from './scale.js';
import type { Chain, NodeSpec } from './spec.js';
import type { Tail } from './tail.js';

/** What is joined. */
export interface JoinParts {
  readonly name: string;
  readonly inputs: readonly Chain[];
  /** How many items of each input may wait. */
  readonly highWaterMark: number;
  /** What one of them weighs, where `highWaterMark` is of weight. */
  readonly size?: SizeOf | undefined;
}

/** Opens a join in which `highWaterMark` items of each input may wait, and which gives items of `weight`. */
type OpenJoin = (
  inputs: readonly MergeInput[],
  highWaterMark: number,
  weight: number,
  context: OpenStageContext,
) => Puller<unknown> & LoadedJoin;

/** Several pipelines, joined as their items arrive, or by a rule. */
export function joined(parts: JoinParts, open: OpenJoin, rule?: JoinKind): NodeSpec {
  const { name, inputs } = parts;
  return { type: 'node', name, inputs, plan: (planner) => planJoin(planner, parts, open, rule) };
}

function planJoin(planner: Planner, parts: JoinParts, open: OpenJoin, rule: JoinKind | undefined): Tail {
  const { name, highWaterMark, size } = parts;
  const tails = parts.inputs.map((input) => planner.chain(input, undefined));
  const weights = tails.map(({ weight }) => weight);
  const heaviest = Math.max(...weights);
  const type = rule === undefined ? 'merge' : 'join';
  const stage = planner.stage(name, type, { weight: heaviest, inputs: tails.flatMap(({ inputs }) => inputs) });
  const waiting = sumOf(tails, 'most');
  const weighed = size === undefined ? undefined : highWaterMark * tails.length;
  if (highWaterMark > 0) planner.room(stage, 'edge', highWaterMark * waiting, weighed);
  // What is weighed waits before the join, which takes one of each input.
  if (size !== undefined) planner.room(stage, 'next of each', waiting);
  const ways = tails.map(({ paths }) => paths);
  const mark = size === undefined ? highWaterMark : 1;
  planner.warnings.push(...diamondWarnings(planner.nameOf(stage), mark, ways, rule?.reads));
  const isTuple = rule?.makes === 'tuples';
  const weight = isTuple ? sumOf(tails, 'weight') : heaviest;
  const node: PlanNode = {
    type,
    stage,
    highWaterMark,
    from: tails.flatMap((tail) => tail.from),
    obstacle: rule && obstacleOf(rule),
    open(nodes) {
      const context = nodes.stage(stage);
      const join = open(inputsOf(nodes, node, weights, context, size), mark, weight, context);
      nodes.run.load?.join(stage, join);
      return join;
    },
  };
  return {
    from: [planner.node(node)],
    inputs: [stage],
    paths: ways.flat(),
    weight,
    most: isTuple ? waiting : mostOf(tails, 'most'),
    unit: isTuple ? sumOf(tails, 'unit') : mostOf(tails, 'unit'),
  };
}

function inputsOf(
  nodes: OpenNodes,
  { from, highWaterMark = 0 }: PlanNode,
  weights: readonly number[],
  context: StageContext,
  size: SizeOf | undefined,
): MergeInput[] {
  return from.map((at, input) => {
    const upstream = nodes.puller(at);
    const weight = weights[input] as number;
    const loop = nodes.plan.nodes[at]?.hasSource === true ? nodes.groups[at] : undefined;
    if (size === undefined) return { upstream, loop, weight };
    const own = Object.create(context, { weight: { value: weight } }) as StageContext;
    return { upstream: new Edge(upstream, highWaterMark, own, true, size), loop: undefined, weight };
  });
}

type Measure = 'weight' | 'most' | 'unit';

function sumOf(tails: readonly Tail[], what: Measure): number {
  return tails.reduce((sum, tail) => sum + tail[what], 0);
}

function mostOf(tails: readonly Tail[], what: Measure): number {
  return Math.max(...tails.map((tail) => tail[what]));
}

/** What waits in a join for an item of another input that is behind the barrier would hold it up for ever. */
function obstacleOf({ reads }: JoinKind): string | undefined {
  if (reads === 'one by one') return undefined;
  return 'waits for all of its inputs, which do not come to a barrier together (must be merge() or concat()';
}
