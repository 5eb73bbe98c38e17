import type { Puller } from './answer.js';
import { Carried, plain } from './carried.js';
import type { OpenStageContext, RunContext, StageContext } from './context.js';
import type { StageCounts } from './counts.js';
import { Edge } from './edge.js';
import { Gate } from './gate.js';
import { Group } from './group.js';
import { Join } from './join.js';
import { Merge } from './merge.js';
import { OperatorBarriers } from './operator-barriers.js';
import type { Plan } from './plan.js';
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
  readonly ends: OpenEnd[];
  readonly #run: RunContext;
  readonly #contexts: readonly OpenStageContext[];
  readonly #pullers: Array<Puller<unknown> | undefined> = [];
  readonly #groups: Array<Group | undefined> = [];
  readonly #sinkEdges: Array<Edge | undefined> = [];
  readonly #splits: Array<Split | undefined> = [];

  constructor(plan: Plan, run: RunContext) {
    this.#run = run;
    this.#contexts = plan.stages.map((stage) => run.stage(stage.name, stage.node, stage.weight));
    try {
      plan.nodes.forEach((node, at) => {
        if (node.type === 'broadcast' || node.type === 'split') this.#splits[at] = this.#split(node);
        else if (node.type === 'group') this.#pullers[at] = this.#groups[at] = this.#group(node);
        else this.#pullers[at] = this.#single(node, at, plan);
      });
    } catch (error) {
      // A stage did not open: what was opened before it is closed.
      for (const puller of this.#pullers) puller?.close(error);
      throw error;
    }
    this.ends = plan.ends.map((at) => {
      const node = plan.nodes[at] as Plan['nodes'][number];
      const stage = node.type === 'group' ? node.stages.at(-1) : node.stage;
      const { name } = plan.stages[stage as number] as { name: string };
      const root = this.#pullers[at] as Puller<unknown>;
      const group = this.#groups[at];
      if (group !== undefined) return { name, root, group };
      const edge = this.#sinkEdges[at];
      const sink = this.#contexts[stage as number] as StageContext;
      return edge === undefined ? { name, root, sink } : { name, root, sink, edge };
    });
  }

  #single(
    node: Exclude<Plan['nodes'][number], { type: 'broadcast' | 'split' | 'group' }>,
    at: number,
    plan: Plan,
  ): Puller<unknown> {
    const context = this.#contexts[node.stage] as OpenStageContext;
    this.#reads(context);
    if (node.type === 'source') return new Gate(this.#run, context, node.stage, (of) => node.spec.open(of));
    if (node.type === 'branch') return this.#splitBefore(node).branch(node.highWaterMark, context);
    if (node.type === 'merge' || node.type === 'join') {
      const inputs = node.from.map((from, input) => {
        const planned = plan.nodes[from];
        const isLoop = planned?.type === 'group' && planned.source !== undefined;
        return {
          upstream: this.#pullers[from] as Puller<unknown>,
          loop: isLoop ? this.#groups[from] : undefined,
          weight: node.weights[input] as number,
        };
      });
      const join =
        node.type === 'merge'
          ? new Merge(inputs, node.highWaterMark, context)
          : new Join(node.join, inputs, node.highWaterMark, node.weight, context);
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
    { spec, rooms }: Plan['nodes'][number] & { type: 'operator' },
    upstream: Puller<unknown>,
    context: OpenStageContext,
  ): Puller<unknown> {
    const { checkpoints, origin } = this.#run;
    const isPlain = origin !== undefined && spec.carries !== true;
    const operator = spec.open(isPlain ? new Translated(upstream, plain) : upstream, context, rooms);
    const saved = checkpoints === undefined ? operator : new OperatorBarriers(operator, context, checkpoints);
    return isPlain ? new Translated(saved, (item) => new Carried(item, origin)) : saved;
  }

  #split(node: Plan['nodes'][number] & { type: 'broadcast' | 'split' }): Split {
    const context = this.#contexts[node.stage] as StageContext;
    this.#reads(context);
    const rule = node.type === 'split' ? node.split.open() : undefined;
    return new Split(this.#before(node), this.#run, context, rule);
  }

  #group(node: Plan['nodes'][number] & { type: 'group' }): Group {
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
  { edge, group }: Plan['nodes'][number] & { type: 'group' },
  upstream: Puller<unknown>,
  stages: readonly StageContext[],
): Edge | undefined {
  if (edge === undefined) return undefined;
  const isUsed = edge.isEager || group.shape.sink.waits || group.shape.steps.some((step) => step.id === 'flatMap');
  return isUsed ? new Edge(upstream, edge.highWaterMark, stages[0] as StageContext, edge.isEager) : undefined;
}
