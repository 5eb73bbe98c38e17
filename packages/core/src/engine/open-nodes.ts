import type { Puller } from './answer.js';
import type { OpenStageContext, RunContext, StageContext } from './context.js';
import type { StageCounts } from './counts.js';
import type { Edge } from './edge.js';
import type { Group } from './group.js';
import type { Plan, PlanNode } from './plan.js';
import type { Split } from './split.js';

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
  readonly plan: Plan;
  readonly run: RunContext;
  /** Reads the counts of each stage. */
  readonly readers: Array<() => StageCounts> = [];
  /** One for each sink. */
  readonly ends: readonly OpenEnd[];
  /** Those of the nodes that are groups, and splits, and the edges of those that are sinks. */
  readonly groups: Array<Group | undefined> = [];
  readonly splits: Array<Split | undefined> = [];
  readonly sinkEdges: Array<Edge | undefined> = [];
  readonly #contexts: OpenStageContext[] = [];
  readonly #pullers: Array<Puller<unknown> | undefined> = [];

  /** @param lane - Where these are the nodes of a sub-pipeline only: the node that opens it, and what they pull from. */
  constructor(plan: Plan, run: RunContext, lane?: { readonly at: number; readonly feed: Puller<unknown> }) {
    this.plan = plan;
    this.run = run;
    const [first, last] = lane ? [lane.at + 1, plan.nodes[lane.at]?.last as number] : [0, plan.nodes.length];
    plan.stages.forEach(({ name, node, weight }, at) => {
      if (node >= first && node < last) this.#contexts[at] = run.stage(name, node, weight);
    });
    if (lane !== undefined) this.#pullers[lane.at] = lane.feed;
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

  /** What to pull from for the items of the first of these. */
  before(nodes: readonly number[]): Puller<unknown> {
    return this.puller(nodes[0] as number);
  }

  context(stage: number): OpenStageContext {
    return this.#contexts[stage] as OpenStageContext;
  }

  /** The context of a stage that keeps its counts there; to be asked for in the order of the stages. */
  stage(at: number): OpenStageContext {
    const context = this.context(at);
    this.readers.push(() => context.counts);
    return context;
  }

  #open(first: number, last: number): void {
    for (let at = first; at < last; at++) {
      const node = this.plan.nodes[at] as PlanNode;
      const puller = node.open?.(this, at);
      // Those that it opens itself are passed over.
      at = node.last ?? at;
      this.#pullers[at] = puller;
    }
  }

  #end(at: number): OpenEnd {
    const { stage } = this.plan.nodes[at] as PlanNode;
    const { name } = this.plan.stages[stage] as { name: string };
    const root = this.puller(at);
    const group = this.groups[at];
    if (group !== undefined) return { name, root, group };
    const edge = this.sinkEdges[at];
    const sink = this.context(stage);
    return edge === undefined ? { name, root, sink } : { name, root, sink, edge };
  }
}
