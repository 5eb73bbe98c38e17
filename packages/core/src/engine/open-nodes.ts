import type { Puller } from './answer.js';
import { Carried, plain } from './carried.js';
import type { OpenStageContext, RunContext, StageContext } from './context.js';
import type { StageCounts } from './counts.js';
import { Edge } from './edge.js';
import { Gate } from './gate.js';
import { Group } from './group.js';
import { Join } from './join.js';
import { Keyed } from './keyed.js';
import { isLaneLoop, LaneLoops } from './lane-loop.js';
import { Merge } from './merge.js';
import { OperatorBarriers } from './operator-barriers.js';
import type { Plan, PlanNode, PlannedStage } from './plan.js';
import { Split } from './split.js';
import { Translated } from './translated.js';

/** What a sink is connected to: the parts of an outlet. */
export interface OpenEnd {
  readonly name: string;
  readonly root: Puller<unknown>;
  readonly edge?: Edge;
  readonly group?: Group;
  readonly sink?: StageContext;
}

/** The nodes of a run, opened and connected. */
export class OpenNodes {
  /** Reads the counts of each stage. */
  readonly readers: Array<() => StageCounts> = [];
  /** One for each sink. */
  readonly ends: readonly OpenEnd[];
  readonly #plan: Plan;
  readonly #run: RunContext;
  readonly #contexts: OpenStageContext[] = [];
  readonly #pullers: Array<Puller<unknown> | undefined> = [];
  readonly #groups: Array<Group | undefined> = [];
  readonly #sinkEdges: Array<Edge | undefined> = [];
  readonly #splits: Array<Split | undefined> = [];

  /** @param lane - Where these are the nodes of one key only: which, and what they pull from. */
  constructor(plan: Plan, run: RunContext, lane?: { readonly keyed: number; readonly feed: Puller<unknown> }) {
    this.#plan = plan;
    this.#run = run;
    const keyed = plan.nodes[lane?.keyed ?? -1];
    const [first, last] = lane && keyed?.type === 'keyed' ? [lane.keyed + 1, keyed.gather] : [0, plan.nodes.length];
    plan.stages.forEach(({ name, node, weight }, at) => {
      if (node >= first && node < last) this.#contexts[at] = run.stage(name, node, weight);
    });
    if (lane !== undefined) this.#pullers[lane.keyed] = lane.feed;
    try {
      this.#open(first, last);
    } catch (error) {
      // A stage did not open: what was opened before it is closed.
      for (const puller of this.#pullers) puller?.close(error);
      throw error;
    }
    this.ends = lane === undefined ? plan.ends.map((at) => this.#end(at)) : [];
  }

  /** What to pull from for the items of a node. */
  puller(at: number): Puller<unknown> {
    return this.#pullers[at] as Puller<unknown>;
  }

  #open(first: number, last: number): void {
    for (let at = first; at < last; at++) {
      const node = this.#plan.nodes[at] as PlanNode;
      if (node.type === 'broadcast' || node.type === 'split') this.#splits[at] = this.#split(node);
      else if (node.type === 'group') this.#pullers[at] = this.#groups[at] = this.#group(node);
      else if (node.type === 'keyed') {
        this.#pullers[node.gather] = this.#keyed(node, at);
        // Those between are opened for each key.
        at = node.gather;
      } else if (node.type !== 'gather') this.#pullers[at] = this.#single(node, at);
    }
  }

  #end(at: number): OpenEnd {
    const node = this.#plan.nodes[at] as PlanNode;
    const stage = node.type === 'group' ? node.stages.at(-1) : node.stage;
    const { name } = this.#plan.stages[stage as number] as { name: string };
    const root = this.#pullers[at] as Puller<unknown>;
    const group = this.#groups[at];
    if (group !== undefined) return { name, root, group };
    const edge = this.#sinkEdges[at];
    const sink = this.#contexts[stage as number] as StageContext;
    return edge === undefined ? { name, root, sink } : { name, root, sink, edge };
  }

  /** What tells items apart by key, opens the nodes of each, and gathers what they make. */
  #keyed(node: PlanNode & { type: 'keyed' }, at: number): Keyed {
    const gather = this.#plan.nodes[node.gather] as PlanNode & { type: 'gather' };
    const split = this.#contexts[node.stage] as StageContext;
    const merge = this.#contexts[gather.stage] as StageContext;
    const stages = gather.stage - node.stage - 1;
    const keyed = new Keyed(node.spec, {
      upstream: this.#before(node),
      run: this.#run,
      split,
      merge,
      stages,
      open: (feed) => {
        const nodes = new OpenNodes(this.#plan, this.#run, { keyed: at, feed });
        return { root: nodes.puller(node.end), readers: nodes.readers };
      },
      loops: () => this.#laneLoops(node, at),
    });
    this.#reads(split);
    for (let stage = 0; stage < stages; stage++) this.readers.push(() => keyed.counts(stage));
    this.#reads(merge);
    return keyed;
  }

  /** The loops of all keys, where a sub-pipeline is one loop and nothing else, and nobody asks how long its steps take. */
  #laneLoops({ end, gather }: PlanNode & { type: 'keyed' }, at: number): LaneLoops | undefined {
    const inner = this.#plan.nodes[end];
    if (inner?.type !== 'group' || end !== at + 1 || gather !== at + 2 || inner.edge !== undefined) return undefined;
    const run = this.#run;
    if (run.isTimed || run.origin !== undefined || !isLaneLoop(inner.group)) return undefined;
    const contexts = inner.stages.map((stage) => {
      const { name, node, weight } = this.#plan.stages[stage] as PlannedStage;
      return run.stage(name, node, weight);
    });
    return new LaneLoops(inner.group, run, contexts);
  }

  #single(
    node: Exclude<PlanNode, { type: 'broadcast' | 'split' | 'group' | 'keyed' | 'gather' }>,
    at: number,
  ): Puller<unknown> {
    const context = this.#contexts[node.stage] as OpenStageContext;
    this.#reads(context);
    if (node.type === 'source') return new Gate(this.#run, context, node.stage, (of) => node.spec.open(of));
    if (node.type === 'branch') return this.#splitBefore(node).branch(node.highWaterMark, context, node.size);
    if (node.type === 'merge' || node.type === 'join') {
      const inputs = node.from.map((from, input) => {
        const planned = this.#plan.nodes[from];
        const isLoop = planned?.type === 'group' && planned.source !== undefined;
        const upstream = this.#pullers[from] as Puller<unknown>;
        const weight = node.weights[input] as number;
        if (node.size === undefined) return { upstream, loop: isLoop ? this.#groups[from] : undefined, weight };
        const edge = Object.create(context, { weight: { value: weight } }) as StageContext;
        return { upstream: new Edge(upstream, node.highWaterMark, edge, true, node.size), loop: undefined, weight };
      });
      const highWaterMark = node.size === undefined ? node.highWaterMark : 1;
      const join =
        node.type === 'merge'
          ? new Merge(inputs, highWaterMark, context)
          : new Join(node.join, inputs, highWaterMark, node.weight, context);
      this.#run.load?.join(node.stage, join);
      return join;
    }
    const upstream = this.#before(node);
    if (node.type === 'operator') return this.#operator(node, upstream, context);
    if (node.highWaterMark === 0) return upstream;
    this.#sinkEdges[at] = new Edge(upstream, node.highWaterMark, context, false, node.size);
    return this.#sinkEdges[at];
  }

  /** An operator that does not know of origins sees items without. */
  #operator(
    { spec, rooms }: PlanNode & { type: 'operator' },
    upstream: Puller<unknown>,
    context: OpenStageContext,
  ): Puller<unknown> {
    const { checkpoints, origin } = this.#run;
    const isPlain = origin !== undefined && spec.carries !== true;
    const operator = spec.open(isPlain ? new Translated(upstream, plain) : upstream, context, rooms);
    const saved = checkpoints === undefined ? operator : new OperatorBarriers(operator, context, checkpoints);
    return isPlain ? new Translated(saved, (item) => new Carried(item, origin)) : saved;
  }

  #split(node: PlanNode & { type: 'broadcast' | 'split' }): Split {
    const context = this.#contexts[node.stage] as OpenStageContext;
    this.#reads(context);
    const rule = node.type === 'split' ? node.split.open() : undefined;
    return new Split(this.#before(node), this.#run, context, rule);
  }

  #group(node: PlanNode & { type: 'group' }): Group {
    const source = node.source === undefined ? undefined : this.#contexts[node.source];
    const stages = node.stages.map((at) => this.#contexts[at] as OpenStageContext);
    const upstream = node.from.length === 0 ? undefined : this.#before(node);
    const edge = upstream === undefined ? undefined : edgeOf(node, upstream, stages);
    const group = new Group(node.group, this.#run, { source, stages }, edge ?? upstream, edge);
    if (source !== undefined) this.readers.push(() => group.sourceCounts());
    stages.forEach((_, at) => void this.readers.push(() => group.counts(at)));
    return group;
  }

  #before({ from }: { readonly from: readonly number[] }): Puller<unknown> {
    return this.#pullers[from[0] as number] as Puller<unknown>;
  }

  #splitBefore({ from }: { readonly from: readonly number[] }): Split {
    return this.#splits[from[0] as number] as Split;
  }

  #reads({ counts }: StageContext): void {
    this.readers.push(() => counts);
  }
}

function edgeOf(
  { edge, group }: PlanNode & { type: 'group' },
  upstream: Puller<unknown>,
  stages: readonly StageContext[],
): Edge | undefined {
  if (edge === undefined) return undefined;
  const isUsed = edge.isEager || group.shape.sink.waits || group.shape.steps.some((step) => step.id === 'flatMap');
  return isUsed ? new Edge(upstream, edge.highWaterMark, stages[0] as StageContext, edge.isEager) : undefined;
}
