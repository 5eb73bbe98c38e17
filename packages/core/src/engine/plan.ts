import { PipelineError } from '../errors.js';
import { layOut } from './codegen.js';
import type { GroupPlan } from './group-plan.js';
import { machineFor, type Params } from './machine.js';
import type { OperatorSpec, SourceSpec, StageSpec, StepSpec } from './spec.js';
import type { SinkKind } from './step.js';
import { EMIT } from './step.js';

const SINK_EDGE = 64;
const ONE_TO_MANY_EDGE = 16;
/** Where each item stands for many. */
const BATCH_EDGE = 1;

/** A sink that ends a fused group. */
export interface FusedSink {
  readonly type: 'fused';
  readonly name: string;
  readonly kind: SinkKind;
  readonly params: readonly unknown[];
  readonly seed?: unknown;
}

/** What takes bursts outside of the loop: a writable, a reader's demand, a sink of another package. */
export interface BurstSink {
  readonly type: 'burst';
  readonly name: string;
  /** The items that may wait before it; `undefined` for what suits the items: 64, or 1 where they are batches. */
  readonly highWaterMark: number | undefined;
  /** The most items it may be handed at once. */
  readonly inService: number;
  /** Whether what it is given goes into a foreign stream, where it can't be counted. */
  readonly isForeign?: boolean;
}

export type SinkSpec = FusedSink | BurstSink;

/** One stage of a plan, as {@link Plan} shows it. */
export interface PlannedStage {
  readonly name: string;
  readonly kind: 'source' | 'step' | 'operator' | 'sink';
  /** The number of the node it runs in; the stages of one fused group share it. */
  readonly node: number;
  /** How many source items one of its input items stands for. */
  readonly weight: number;
}

/** One thing that can hold items: a line of the bound. */
export interface PlannedRoom {
  readonly stage: string;
  /** What holds them: `edge`, `in service`, `cursor`, `sink`. */
  readonly where: string;
  readonly items: number;
}

/** One node of a plan: a source, a fused group or an operator. */
export type PlanNode =
  | { readonly type: 'source'; readonly spec: SourceSpec & { type: 'reader' }; readonly stage: number }
  | {
      readonly type: 'group';
      readonly group: GroupPlan;
      /** The stage number of the loop's source, if it has one. */
      readonly source: number | undefined;
      readonly stages: readonly number[];
      readonly edge: { readonly highWaterMark: number; readonly isEager: boolean } | undefined;
    }
  | { readonly type: 'operator'; readonly spec: OperatorSpec; readonly stage: number };

/** What a pipeline compiles to: its stages, the nodes they run in, and the most items that can be inside. */
export interface Plan {
  readonly stages: readonly PlannedStage[];
  readonly nodes: readonly PlanNode[];
  /** Where items can be, and how many. */
  readonly rooms: readonly PlannedRoom[];
  /** The most items that can be inside at any moment: the sum of `rooms`. */
  readonly bound: number;
  /** The stages inside which items can't be counted: foreign streams. */
  readonly notCounted: readonly string[];
  /** The items that may wait before a sink that is not fused. */
  readonly sinkHighWaterMark: number;
}

/** What decides how a plan is made. */
export interface PlanOptions {
  readonly fuse: boolean;
  readonly maxInFlight: number | undefined;
  readonly generate: boolean;
}

/** Compiles a source, stages and a sink into a plan. */
export function makePlan(
  source: SourceSpec,
  specs: readonly StageSpec[],
  sink: SinkSpec | undefined,
  options: PlanOptions,
): Plan {
  const planner = new Planner(source, sink, options);
  for (const spec of specs) {
    if (spec.type === 'step') planner.step(spec);
    else planner.operator(spec);
  }
  const plan = planner.finish();
  if (options.maxInFlight !== undefined) refuseBeyond(plan, options.maxInFlight);
  return plan;
}

function refuseBeyond(plan: Plan, maxInFlight: number): void {
  const problem =
    plan.bound > maxInFlight
      ? `${plan.bound} items can be inside`
      : plan.notCounted.length > 0
        ? `what is inside ${plan.notCounted.map((name) => `"${name}"`).join(', ')} can't be counted`
        : undefined;
  if (problem === undefined) return;
  const rooms = plan.rooms.map((room) => `${room.stage} ${room.where} ${room.items}`).join(', ');
  throw new PipelineError(
    'ERR_CORE_IN_FLIGHT',
    `Cannot build the pipeline: ${problem} (must be at most ${maxInFlight}, the maxInFlight): ${rooms}`,
  );
}

class Planner {
  readonly #source: SourceSpec;
  readonly #sink: SinkSpec | undefined;
  readonly #options: PlanOptions;
  readonly #stages: PlannedStage[] = [];
  readonly #nodes: PlanNode[] = [];
  readonly #rooms: PlannedRoom[] = [];
  readonly #notCounted: string[] = [];
  readonly #names = new Map<string, number>();
  #weight = 1;
  /** The weight in the bound: without limit behind a batch without `maxItems`, which counts as one item. */
  #most = 1;
  /** The steps of the group being gathered, and their weights. */
  #open: StepSpec[] = [];
  #hasLoop: boolean;
  #sinkHighWaterMark = 0;

  constructor(source: SourceSpec, sink: SinkSpec | undefined, options: PlanOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
    this.#hasLoop = source.type === 'loop';
    if (source.type === 'loop') return;
    const stage = this.#stage(source.name, 'source');
    this.#nodes.push({ type: 'source', spec: source, stage });
  }

  step(spec: StepSpec): void {
    const splits = spec.highWaterMark !== undefined || !this.#options.fuse;
    if (splits && (this.#open.length > 0 || this.#hasLoop)) this.#closeGroup(undefined);
    this.#open.push(spec);
  }

  operator(spec: OperatorSpec): void {
    if (this.#open.length > 0 || this.#hasLoop) this.#closeGroup(undefined);
    const stage = this.#stage(spec.name, 'operator');
    if (spec.highWaterMark > 0) this.#room(stage, 'edge', spec.highWaterMark * this.#most);
    if (spec.inService > 0) this.#room(stage, spec.detail, spec.inService * this.#most);
    if (spec.isForeign === true) this.#notCounted.push(this.#nameOf(stage));
    this.#nodes.push({ type: 'operator', spec, stage });
    this.#reweigh(spec);
  }

  finish(): Plan {
    const sink = this.#sink;
    if (sink?.type === 'fused') {
      if (!this.#options.fuse && (this.#open.length > 0 || this.#hasLoop)) this.#closeGroup(undefined);
      this.#closeGroup(sink);
    } else {
      if (this.#open.length > 0 || this.#hasLoop) this.#closeGroup(undefined);
      if (sink !== undefined) this.#burstSink(sink);
    }
    const bound = this.#rooms.reduce((sum, room) => sum + room.items, 0);
    return {
      stages: this.#stages,
      nodes: this.#nodes,
      rooms: this.#rooms,
      bound,
      notCounted: this.#notCounted,
      sinkHighWaterMark: this.#sinkHighWaterMark,
    };
  }

  #burstSink(sink: BurstSink): void {
    const stage = this.#stage(sink.name, 'sink');
    const highWaterMark = sink.highWaterMark ?? this.#sinkEdge();
    this.#sinkHighWaterMark = highWaterMark;
    if (highWaterMark > 0) this.#room(stage, 'edge', highWaterMark * this.#most);
    this.#room(stage, 'in service', sink.inService * this.#most);
    if (sink.isForeign === true) this.#notCounted.push(this.#nameOf(stage));
  }

  #closeGroup(sink: FusedSink | undefined): void {
    const steps = this.#open;
    this.#open = [];
    const { open, source } = this.#loop();
    const weights: number[] = [];
    const most: number[] = [];
    const stages: number[] = [];
    const before = this.#most;
    for (const spec of steps) {
      weights.push(this.#weight);
      most.push(this.#most);
      stages.push(this.#stage(spec.name, 'step'));
      this.#reweigh(spec);
    }
    weights.push(this.#weight);
    if (sink !== undefined) stages.push(this.#stage(sink.name, 'sink'));
    const edge = this.#edge(steps, sink, open !== undefined);
    if (edge !== undefined && edge.highWaterMark > 0)
      this.#room(stages[0] as number, 'edge', edge.highWaterMark * before);
    steps.forEach((spec, at) => {
      if (spec.kind.id === 'flatMap') this.#room(stages[at] as number, 'cursor', most[at] as number);
      // An item that did not fit into the batch it closed begins the next one.
      if (spec.kind.id === 'batchBySize') this.#room(stages[at] as number, 'open batch', most[at] as number);
    });
    if (sink !== undefined) this.#room(stages[steps.length] as number, 'in service', this.#most);
    const shape = {
      source: open === undefined ? 'array' : (this.#source as SourceSpec & { type: 'loop' }).kind,
      steps: steps.map((spec) => spec.kind),
      sink: sink?.kind ?? EMIT,
    } as const;
    const layout = layOut(shape.steps);
    const params: Params = [...steps.map((spec) => spec.params), sink?.params ?? []];
    const seeds = [...steps.map((spec) => spec.seed), sink?.seed];
    const machine = machineFor(shape, layout, params, this.#options.generate);
    const ask = edge?.highWaterMark ?? SINK_EDGE;
    const group: GroupPlan = { shape, layout, machine, params, seeds, weights, open, ask: Math.max(1, ask) };
    this.#nodes.push({ type: 'group', group, source, stages, edge });
  }

  #loop(): { open: GroupPlan['open']; source: number | undefined } {
    if (!this.#hasLoop) return { open: undefined, source: undefined };
    this.#hasLoop = false;
    const source = this.#source as SourceSpec & { type: 'loop' };
    return { open: source.open, source: this.#stage(source.name, 'source') };
  }

  #edge(steps: readonly StepSpec[], sink: FusedSink | undefined, hasLoop: boolean): EdgePlan | undefined {
    const given = steps[0]?.highWaterMark;
    if (hasLoop) return undefined;
    // With 0 nothing waits and nothing is read ahead: items are asked for one at a time.
    if (given !== undefined) return { highWaterMark: given, isEager: given > 0 };
    if (steps.some((spec) => spec.kind.id === 'flatMap')) return { highWaterMark: ONE_TO_MANY_EDGE, isEager: false };
    if (sink === undefined) return undefined;
    return { highWaterMark: sink.kind.stops === true ? 0 : this.#sinkEdge(), isEager: false };
  }

  #sinkEdge(): number {
    return this.#most > 1 ? BATCH_EDGE : SINK_EDGE;
  }

  #reweigh({ weight }: StageSpec): void {
    if (weight === 'same') return;
    const times = weight === 'one' ? 1 : weight.times;
    this.#most = weight === 'one' ? 1 : this.#most * times;
    this.#weight = weight === 'one' ? 1 : this.#weight * (Number.isFinite(times) ? times : 1);
  }

  #stage(name: string, kind: PlannedStage['kind']): number {
    const times = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, times);
    const unique = times === 1 ? name : `${name} ${times}`;
    this.#stages.push({ name: unique, kind, node: this.#nodes.length, weight: this.#weight });
    return this.#stages.length - 1;
  }

  #room(stage: number, where: string, items: number): void {
    this.#rooms.push({ stage: this.#nameOf(stage), where, items });
  }

  #nameOf(stage: number): string {
    return (this.#stages[stage] as PlannedStage).name;
  }
}

interface EdgePlan {
  readonly highWaterMark: number;
  readonly isEager: boolean;
}
