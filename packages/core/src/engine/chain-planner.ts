import { layOut, type Shape } from './codegen.js';
import { withBatch, withRoom } from './diamonds.js';
import { type EdgePlan, groupNode } from './group-node.js';
import type { GroupPlan } from './group-plan.js';
import { isGenerationAllowed, machineFor, type Params } from './machine.js';
import { operatorNode } from './operator-node.js';
import type { BurstSink, FusedSink, PlanNode, SinkSpec } from './plan.js';
import type { Planner } from './planner.js';
import type { SizeOf } from './scale.js';
import { EMIT } from './sink-kinds.js';
import { sinkNode } from './sink-node.js';
import type { LoopSpec, NestedSpec, OperatorSpec, Room, StepSpec } from './spec.js';
import { guardedKind } from './step.js';
import type { Tail } from './tail.js';

const SINK_EDGE = 64;
const ONE_TO_MANY_EDGE = 16;
/** Where each item stands for many. */
const BATCH_EDGE = 1;

/** Plans the stages of one chain: gathers steps into groups, decides where edges are, and adds up what they hold. */
export class ChainPlanner {
  readonly #planner: Planner;
  /** The source, until it is part of a loop. */
  #source: LoopSpec | undefined;
  /** Where the chain has got to. */
  #tail: Tail;
  /** The steps of the group being gathered. */
  #open: StepSpec[] = [];
  /** What is a step of the loop that ends with the sink, and waits. */
  #waiting: OperatorSpec | undefined;
  /** Whether nothing waits before the loop that ends with the sink, or behind what waits in it. */
  #isBehindWaiting = false;

  constructor(planner: Planner, source: LoopSpec | undefined, tail: Tail) {
    this.#planner = planner;
    this.#source = source;
    this.#tail = tail;
  }

  step(spec: StepSpec): void {
    const splits = spec.highWaterMark !== undefined || !this.#planner.options.fuse;
    if (splits) this.#endGroup();
    this.#open.push(spec);
  }

  operator(spec: OperatorSpec): void {
    this.#endGroup();
    const stage = this.#stage(spec.name, 'operator');
    const { most, from } = this.#tail;
    const highWaterMark = itemsOf(spec.highWaterMark, most);
    const inService = itemsOf(spec.inService, most);
    this.#edgeRoom(stage, highWaterMark, spec.size);
    if (inService > 0) this.#room(stage, spec.detail, inService * most);
    if (spec.isForeign === true) this.#planner.notCounted.push(this.#planner.nameOf(stage));
    this.#node(operatorNode(spec, stage, { highWaterMark, inService }, from));
    if (this.#planner.options.carries === true && spec.carries !== true) this.#planner.losesOrigins(stage);
    this.#reweigh(spec);
  }

  nested(spec: NestedSpec): void {
    this.#endGroup();
    this.#tail = spec.plan(this.#planner, this.#tail);
  }

  /** The same, with nothing but steps and the sink behind it; the loop may wait for it itself. */
  operatorBeforeSink(spec: OperatorSpec): void {
    const { generate, isTimed, carries } = this.#planner.options;
    const isStep = !isTimed && carries !== true && generate && isGenerationAllowed();
    this.#isBehindWaiting = true;
    if (!isStep) return this.operator(spec);
    this.#waiting = spec;
    this.step(spec.asStep as StepSpec);
  }

  finish(sink: SinkSpec | undefined): Tail {
    if (sink?.type === 'fused') {
      if (!this.#planner.options.fuse) this.#endGroup();
      this.#closeGroup(sink);
    } else {
      this.#endGroup();
      if (sink !== undefined) this.#burstSink(sink);
    }
    if (sink !== undefined) this.#planner.ends.push(this.#planner.nodes.length - 1);
    return this.#tail;
  }

  #burstSink(sink: BurstSink): void {
    const stage = this.#stage(sink.name, 'sink');
    const { most, unit, from } = this.#tail;
    const highWaterMark = sink.highWaterMark ?? sinkEdge(most / unit);
    this.#edgeRoom(stage, highWaterMark, sink.size);
    this.#room(stage, 'in service', sink.inService * most);
    if (sink.isForeign === true) this.#planner.notCounted.push(this.#planner.nameOf(stage));
    this.#node(sinkNode(stage, highWaterMark, sink.size, from));
  }

  #endGroup(): void {
    if (this.#open.length > 0 || this.#source !== undefined) this.#closeGroup(undefined);
  }

  #closeGroup(sink: FusedSink | undefined): void {
    const steps = this.#open;
    this.#open = [];
    const loop = this.#source;
    const { open } = loop ?? {};
    this.#source = undefined;
    const source = loop && this.#stage(loop.name, 'source');
    const weights: number[] = [];
    const most: number[] = [];
    const stages: number[] = [];
    const before = this.#tail.most;
    const units = before / this.#tail.unit;
    for (const spec of steps) {
      weights.push(this.#tail.weight);
      most.push(this.#tail.most);
      stages.push(this.#stage(spec.name, 'step'));
      this.#reweigh(spec);
    }
    weights.push(this.#tail.weight);
    if (sink !== undefined) stages.push(this.#stage(sink.name, 'sink'));
    const edge = this.#edge(steps, sink, open !== undefined, units);
    if (edge !== undefined && edge.highWaterMark > 0)
      this.#room(stages[0] as number, 'edge', edge.highWaterMark * before);
    const waitsAt = this.#waiting === undefined ? -1 : steps.findIndex((spec) => spec.kind.waiting !== undefined);
    steps.forEach((spec, at) => {
      if (at === waitsAt) {
        const { detail, inService } = this.#waiting as OperatorSpec;
        const weight = most[at] as number;
        this.#room(stages[at] as number, detail, itemsOf(inService, weight) * weight);
      }
      if (spec.kind.cursor !== undefined) this.#room(stages[at] as number, 'cursor', most[at] as number);
      // An item that did not fit into the batch it closed begins the next one.
      if (spec.kind.id === 'batchBySize') this.#room(stages[at] as number, 'open batch', most[at] as number);
    });
    if (sink !== undefined) this.#room(stages[steps.length] as number, 'in service', this.#tail.most);
    const ask = Math.max(1, edge?.highWaterMark ?? SINK_EDGE);
    const hasRoom = steps.some(({ kind }) => kind.room !== undefined);
    const shape: Shape = {
      source: loop?.kind ?? 'array',
      steps: steps.map(({ kind, onError = 'fail' }) => (onError === 'fail' ? kind : guardedKind(kind))),
      sink: sink?.kind ?? EMIT,
    };
    const layout = layOut(shape.steps);
    const params: Params = [...steps.map((spec) => spec.params), sink?.params ?? []];
    const seeds = [...steps.map((spec) => spec.seed), sink?.seed];
    const machine = machineFor(shape, layout, params, this.#planner.options.generate);
    const policies = steps.map(({ onError }) => onError);
    const group: GroupPlan = {
      shape,
      layout,
      machine,
      params,
      seeds,
      weights,
      open,
      hasRoom,
      policies: policies.some((policy = 'fail') => policy !== 'fail') ? policies : undefined,
      waitsAt,
      slot: steps[waitsAt]?.slot,
      guard: steps[waitsAt]?.guard,
      ask,
    };
    this.#node(groupNode(group, { source, stages, edge, from: this.#tail.from }));
  }

  #edge(
    steps: readonly StepSpec[],
    sink: FusedSink | undefined,
    hasLoop: boolean,
    units: number,
  ): EdgePlan | undefined {
    const given = steps[0]?.highWaterMark;
    if (hasLoop) return undefined;
    // With 0 nothing waits and nothing is read ahead: items are asked for one at a time.
    if (given !== undefined) return { highWaterMark: given, isEager: given > 0 };
    if (steps.some((spec) => spec.kind.cursor !== undefined))
      return { highWaterMark: ONE_TO_MANY_EDGE, isEager: false };
    if (sink === undefined || this.#isBehindWaiting) return undefined;
    // What waits is what enters the loop: single items where it makes batches itself. Of those that a take counts behind
    // them no more than one item is sure to be needed.
    return {
      highWaterMark:
        sink.kind.stops === true ? 0 : sinkEdge(countsBatches(steps) ? this.#tail.most / this.#tail.unit : units),
      isEager: false,
    };
  }

  #reweigh(spec: StepSpec | OperatorSpec): void {
    const { weight } = spec;
    if (weight === 'same') return;
    if (weight === 'one') {
      this.#tail = { ...this.#tail, weight: 1, most: 1, unit: 1 };
      return;
    }
    const { times } = weight;
    const tail = this.#tail;
    this.#tail = {
      ...tail,
      most: tail.most * times,
      weight: tail.weight * (Number.isFinite(times) ? times : 1),
      // An operator that gathers goes by time as well, and gives what it has.
      paths: spec.type === 'step' ? tail.paths.map((path) => withBatch(path, times)) : tail.paths,
    };
  }

  #stage(name: string, kind: 'source' | 'step' | 'operator' | 'sink'): number {
    const stage = this.#planner.stage(name, kind, this.#tail);
    this.#tail = { ...this.#tail, inputs: [stage] };
    return stage;
  }

  /** What weighs 1 at least each is at most as many items as the mark. */
  #edgeRoom(stage: number, highWaterMark: number, size: SizeOf | undefined): void {
    if (highWaterMark > 0) {
      this.#room(stage, 'edge', highWaterMark * this.#tail.most, size === undefined ? undefined : highWaterMark);
    }
  }

  #room(stage: number, where: string, items: number, weight?: number): void {
    this.#planner.room(stage, where, items, weight);
    const { paths } = this.#tail;
    if (paths.length > 0) this.#tail = { ...this.#tail, paths: paths.map((path) => withRoom(path, items)) };
  }

  #node(node: PlanNode): void {
    this.#tail = { ...this.#tail, from: [this.#planner.node(node)] };
  }
}

function itemsOf(room: Room, weight: number): number {
  return typeof room === 'function' ? room(weight) : room;
}

/** Whether a take counts what an earlier step has gathered. */
function countsBatches(steps: readonly StepSpec[]): boolean {
  const first = steps.findIndex(({ kind }) => kind.tally === 'absorbed');
  return first >= 0 && steps.slice(first).some(({ kind }) => kind.id === 'take');
}

/** How many items wait before a sink, or the loop that it ends: of those that are `most` items each. */
function sinkEdge(most: number): number {
  return most > 1 ? BATCH_EDGE : SINK_EDGE;
}
