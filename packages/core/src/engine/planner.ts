import { PipelineError } from '../errors.js';
import { ChainPlanner } from './chain-planner.js';
import { readerOf } from './loop-reader.js';
import type { Plan, PlanNode, PlannedRoom, PlannedStage, PlanOptions, SinkSpec } from './plan.js';
import type { Chain, OperatorSpec, StageSpec } from './spec.js';
import { START, type Tail } from './tail.js';

/** A chain and the sink behind it; without one the plan is for looking at. */
export interface EndedChain extends Chain {
  readonly sink: SinkSpec | undefined;
}

/** Compiles chains, with all that they come from, into one plan. */
export function makePlan(chains: readonly EndedChain[], options: PlanOptions): Plan {
  const planner = new Planner(options);
  for (const chain of chains) planner.chain(chain, chain.sink);
  const plan = planner.finish(chains.every(({ sink }) => sink !== undefined));
  if (options.maxInFlight !== undefined) refuseBeyond(plan, options.maxInFlight);
  if (options.maxBytes !== undefined && plan.notCounted.length > 0)
    throw refused(plan, notCounted(plan), options.maxBytes, 'maxBytesInFlight');
  return plan;
}

function refuseBeyond(plan: Plan, maxInFlight: number): void {
  if (plan.bound > maxInFlight) throw refused(plan, `${plan.bound} items can be inside`, maxInFlight, 'maxInFlight');
  if (plan.notCounted.length > 0) throw refused(plan, notCounted(plan), maxInFlight, 'maxInFlight');
}

function notCounted(plan: Plan): string {
  return `what is inside ${plan.notCounted.map((name) => `"${name}"`).join(', ')} can't be counted`;
}

function refused(plan: Plan, problem: string, most: number, option: string): PipelineError {
  const rooms = plan.rooms.map((room) => `${room.stage} ${room.where} ${room.items}`).join(', ');
  return new PipelineError(
    'ERR_CORE_IN_FLIGHT',
    `Cannot build the pipeline: ${problem} (must be at most ${most}, the ${option}): ${rooms}`,
  );
}

/**
 * The stage that calls an asynchronous function on one item at a time, where nothing but steps and a sink of the loop
 * come behind it: nothing waits between the two, and the loop may wait for it itself.
 */
function waitsBeforeSink(specs: readonly StageSpec[], sink: SinkSpec | undefined, fuse: boolean): number {
  if (!fuse || sink?.type !== 'fused') return -1;
  const at = specs.map(({ type }) => type).lastIndexOf('operator');
  if (at < 0 || (specs[at] as OperatorSpec).asStep === undefined) return -1;
  const isPlain = (spec: StageSpec): boolean =>
    spec.type === 'step' && spec.highWaterMark === undefined && spec.kind.cursor === undefined;
  return specs.slice(at + 1).every(isPlain) ? at : -1;
}

/** What several sources of a plan share. */
export interface Shared {
  /** Throws where something of it is missing, when all that may share it is planned. */
  check(): void;
}

/** What the plans of all chains of a run have in common. */
export class Planner {
  readonly options: PlanOptions;
  readonly nodes: PlanNode[] = [];
  readonly ends: number[] = [];
  readonly notCounted: string[] = [];
  readonly warnings: string[] = [];
  /** Where the sub-pipeline being planned begins. */
  feed: Tail | undefined;
  readonly #stages: PlannedStage[] = [];
  readonly #rooms: PlannedRoom[] = [];
  readonly #names = new Map<string, number>();
  #shared = new Map<object, Shared>();
  /** How many there may be of the sub-pipeline being planned. */
  #times = 1;

  constructor(options: PlanOptions) {
    this.options = options;
  }

  /** Plans a chain, what it comes from included. */
  chain({ source: given, specs }: Chain, sink: SinkSpec | undefined): Tail {
    const isAsked = this.options.maxBytes !== undefined && given.type === 'loop';
    const source = isAsked ? readerOf(given) : given;
    const isLoop = source.type === 'loop';
    const chain = new ChainPlanner(this, isLoop ? source : undefined, isLoop ? START : source.plan(this));
    const waitsAt = waitsBeforeSink(specs, sink, this.options.fuse);
    specs.forEach((spec, at) => {
      if (spec.type === 'step') chain.step(spec);
      else if (spec.type === 'nested') chain.nested(spec);
      else if (at === waitsAt) chain.operatorBeforeSink(spec);
      else chain.operator(spec);
    });
    return chain.finish(sink);
  }

  /** Plans once what several sources share. */
  share<S extends Shared>(key: object, plan: () => S): S {
    const shared = this.#shared.get(key) ?? plan();
    this.#shared.set(key, shared);
    return shared as S;
  }

  /** Plans a sub-pipeline, of which there may be `times`; it shares nothing with what is around it. */
  nested(times: number, feed: Tail, plan: () => Tail): Tail {
    const outer = { feed: this.feed, shared: this.#shared, times: this.#times };
    this.feed = feed;
    this.#shared = new Map();
    this.#times *= times;
    const tail = plan();
    this.#check();
    this.feed = outer.feed;
    this.#shared = outer.shared;
    this.#times = outer.times;
    return tail;
  }

  finish(isRun: boolean): Plan {
    if (isRun) this.#check();
    return {
      stages: this.#stages,
      nodes: this.nodes,
      ends: this.ends,
      rooms: this.#rooms,
      bound: this.#rooms.reduce((sum, room) => sum + room.items, 0),
      notCounted: this.notCounted,
      maxBytes: this.options.maxBytes,
      warnings: this.warnings,
    };
  }

  /** Adds a node, and gives its number. */
  node(node: PlanNode): number {
    return this.nodes.push(node) - 1;
  }

  /** Adds a stage to the node that is planned next. */
  stage(name: string, kind: PlannedStage['kind'], { weight, inputs }: Pick<Tail, 'weight' | 'inputs'>): number {
    const times = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, times);
    const unique = times === 1 ? name : `${name} ${times}`;
    return this.#stages.push({ name: unique, kind, node: this.nodes.length, weight, inputs }) - 1;
  }

  room(stage: number, where: string, items: number, weight?: number): void {
    const times = this.#times;
    this.#rooms.push({
      stage: this.nameOf(stage),
      where,
      items: items * times,
      ...(weight !== undefined && { weight: weight * times }),
    });
  }

  /** Notes a stage behind which items have the origin of the run. */
  losesOrigins(stage: number): void {
    this.warnings.push(
      `"${this.nameOf(stage)}" does not hand on where its items come from: behind it functions see the context of the run`,
    );
  }

  nameOf(stage: number): string {
    return (this.#stages[stage] as PlannedStage).name;
  }

  #check(): void {
    for (const shared of this.#shared.values()) shared.check();
  }
}
