import { PipelineError } from '../errors.js';
import { ChainPlanner } from './chain-planner.js';
import { branchPath, diamondWarnings, type Path } from './diamonds.js';
import { IN_HAND } from './keyed-parts.js';
import { readerOf } from './loop-reader.js';
import type { Plan, PlanNode, PlannedRoom, PlannedStage, PlanOptions, SinkSpec } from './plan.js';
import type { BroadcastSpec, Chain, KeyedSpec, OperatorSpec, SourceSpec, StageSpec } from './spec.js';

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
    spec.type === 'step' && spec.highWaterMark === undefined && spec.kind.id !== 'flatMap';
  return specs.slice(at + 1).every(isPlain) ? at : -1;
}

/** Where a chain has got to: what the next stage takes its items from. */
export interface Tail {
  /** The number of the node to pull from; none before a source that runs in a loop. */
  readonly from: readonly number[];
  readonly inputs: readonly number[];
  readonly weight: number;
  /** The weight in the bound: without limit behind a batch without `maxItems`, which counts as one item. */
  readonly most: number;
  /** What weighs that without being a batch: the items of a tuple. */
  readonly unit: number;
  /** The branches that the items came through. */
  readonly paths: readonly Path[];
}

interface PlannedBroadcast {
  readonly tail: Tail;
  readonly name: string;
  readonly taken: Set<number>;
}

/** What the plans of all chains of a run have in common. */
export class Planner {
  readonly options: PlanOptions;
  readonly nodes: PlanNode[] = [];
  readonly ends: number[] = [];
  readonly notCounted: string[] = [];
  readonly #stages: PlannedStage[] = [];
  readonly #rooms: PlannedRoom[] = [];
  readonly #names = new Map<string, number>();
  #broadcasts = new Map<BroadcastSpec, PlannedBroadcast>();
  /** Where the sub-pipeline being planned begins, and how many of it there may be. */
  #feed: Tail | undefined;
  #times = 1;
  readonly #warnings: string[] = [];

  constructor(options: PlanOptions) {
    this.options = options;
  }

  /** Plans a chain, what it comes from included. */
  chain({ source: given, specs }: Chain, sink: SinkSpec | undefined): Tail {
    const isAsked = this.options.maxBytes !== undefined && given.type === 'loop';
    const source = isAsked ? readerOf(given) : given;
    const chain = new ChainPlanner(this, source, this.#sourceTail(source));
    const waitsAt = waitsBeforeSink(specs, sink, this.options.fuse);
    specs.forEach((spec, at) => {
      if (spec.type === 'step') chain.step(spec);
      else if (spec.type === 'keyed') chain.keyed(spec);
      else if (at === waitsAt) chain.operatorBeforeSink(spec);
      else chain.operator(spec);
    });
    return chain.finish(sink);
  }

  /** Plans a stage with a sub-pipeline for each key: once, for all of them. */
  keyed(spec: KeyedSpec, before: Tail): Tail {
    const { name, maxKeys, highWaterMark } = spec;
    const stage = this.stage(name, 'split', before);
    this.room(stage, 'edge', (IN_HAND + maxKeys * highWaterMark) * before.most);
    const at = this.nodes.push({ type: 'gather', stage, from: before.from }) - 1;
    const outer = { feed: this.#feed, broadcasts: this.#broadcasts, times: this.#times };
    this.#feed = { ...before, from: [at], inputs: [stage], paths: [] };
    this.#broadcasts = new Map();
    this.#times *= maxKeys;
    const inner = this.chain(spec.inner, undefined);
    this.#refuseOpenBranches();
    const merge = this.stage(`${this.nameOf(stage)} merge`, 'merge', inner);
    this.room(merge, 'edge', inner.most);
    this.#feed = outer.feed;
    this.#broadcasts = outer.broadcasts;
    this.#times = outer.times;
    const gather = this.nodes.push({ type: 'gather', stage: merge, from: inner.from }) - 1;
    this.nodes[at] = { type: 'keyed', spec, stage, end: inner.from[0] as number, gather, from: before.from };
    return { ...inner, from: [gather], inputs: [merge], paths: before.paths };
  }

  finish(isRun: boolean): Plan {
    if (isRun) this.#refuseOpenBranches();
    return {
      stages: this.#stages,
      nodes: this.nodes,
      ends: this.ends,
      rooms: this.#rooms,
      bound: this.#rooms.reduce((sum, room) => sum + room.items, 0),
      notCounted: this.notCounted,
      maxBytes: this.options.maxBytes,
      warnings: this.#warnings,
    };
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
    this.#warnings.push(
      `"${this.nameOf(stage)}" does not hand on where its items come from: behind it functions see the context of the run`,
    );
  }

  nameOf(stage: number): string {
    return (this.#stages[stage] as PlannedStage).name;
  }

  #sourceTail(source: SourceSpec): Tail {
    if (source.type === 'merge') return this.#merge(source);
    if (source.type === 'feed') return this.#feed as Tail;
    if (source.type === 'branch') return this.#branch(source.broadcast, source.index);
    const start: Tail = { from: [], inputs: [], weight: 1, most: 1, unit: 1, paths: [] };
    if (source.type === 'loop') return start;
    const stage = this.stage(source.name, 'source', start);
    return { ...start, from: [this.nodes.push({ type: 'source', spec: source, stage }) - 1], inputs: [stage] };
  }

  #merge({ name, join, inputs, highWaterMark, size }: SourceSpec & { type: 'merge' }): Tail {
    const tails = inputs.map((input) => this.chain(input, undefined));
    const weights = tails.map(({ weight }) => weight);
    const weight = Math.max(...weights);
    const kind = join === undefined ? 'merge' : 'join';
    const stage = this.stage(name, kind, { weight, inputs: tails.flatMap((tail) => tail.inputs) });
    const waiting = tails.reduce((sum, tail) => sum + tail.most, 0);
    const weighed = size === undefined ? undefined : highWaterMark * inputs.length;
    if (highWaterMark > 0) this.room(stage, 'edge', highWaterMark * waiting, weighed);
    // What is weighed waits before the join, which takes one of each input.
    if (size !== undefined) this.room(stage, 'next of each', waiting);
    const from = tails.flatMap((tail) => tail.from);
    const ways = tails.map(({ paths }) => paths);
    this.#warnings.push(
      ...diamondWarnings(this.nameOf(stage), size === undefined ? highWaterMark : 1, ways, join?.reads),
    );
    const behind = { from: [this.nodes.length], inputs: [stage], paths: ways.flat() };
    if (join?.makes === 'tuples') {
      const tuple = weights.reduce((sum, each) => sum + each, 0);
      this.nodes.push({ type: 'join', stage, join, highWaterMark, size, weights, weight: tuple, from });
      return { ...behind, weight: tuple, most: waiting, unit: tails.reduce((sum, { unit }) => sum + unit, 0) };
    }
    const node = { stage, highWaterMark, size, weights, from };
    this.nodes.push(join === undefined ? { type: 'merge', ...node } : { type: 'join', ...node, join, weight });
    const [most, unit] = [Math.max(...tails.map((tail) => tail.most)), Math.max(...tails.map((tail) => tail.unit))];
    return { ...behind, weight, most, unit };
  }

  #branch(spec: BroadcastSpec, index: number): Tail {
    const { tail, name, taken } = this.#broadcasts.get(spec) ?? this.#broadcast(spec);
    if (taken.has(index)) {
      throw new PipelineError(
        'ERR_CORE_BRANCH',
        `Cannot build the pipeline: ${branchName(spec, index)} of "${name}" is used twice (must be once; ${spec.split === undefined ? 'broadcast() into one more branch' : 'broadcast() that branch'})`,
      );
    }
    taken.add(index);
    const { highWaterMark, size } = spec;
    const stage = this.stage(`${name} ${branchName(spec, index)}`, 'branch', tail);
    const items = highWaterMark * tail.most;
    if (highWaterMark > 0) this.room(stage, 'edge', items, size === undefined ? undefined : highWaterMark);
    this.nodes.push({ type: 'branch', stage, highWaterMark, size, from: tail.from });
    const path = branchPath(
      spec,
      this.nameOf(stage),
      tail.most,
      size === undefined ? highWaterMark : Math.min(1, highWaterMark),
    );
    return { ...tail, from: [this.nodes.length - 1], inputs: [stage], paths: [...tail.paths, path] };
  }

  #broadcast(spec: BroadcastSpec): PlannedBroadcast {
    const before = this.chain(spec, undefined);
    const { split } = spec;
    const stage = this.stage(spec.name, split === undefined ? 'broadcast' : 'split', before);
    const { from } = before;
    this.nodes.push(split === undefined ? { type: 'broadcast', stage, from } : { type: 'split', split, stage, from });
    const tail: Tail = { ...before, from: [this.nodes.length - 1], inputs: [stage] };
    const planned = { tail, name: this.nameOf(stage), taken: new Set<number>() };
    this.#broadcasts.set(spec, planned);
    return planned;
  }

  #refuseOpenBranches(): void {
    for (const [spec, { name, taken }] of this.#broadcasts) {
      const { branches, split } = spec;
      if (taken.size === branches) continue;
      const open = Array.from({ length: branches }, (_, index) => index).filter((index) => !taken.has(index));
      const numbers = `${open.length > 1 ? 'branches' : 'branch'} ${open.map((index) => index + 1).join(', ')}`;
      const which = split === undefined ? numbers : open.map((index) => branchName(spec, index)).join(', ');
      throw new PipelineError(
        'ERR_CORE_BRANCH',
        `Cannot build the pipeline: ${which} of "${name}" would never be read, and hold up the others (all ${branches} must be in one run: give them to runAll() or merge())`,
      );
    }
  }
}

function branchName({ split }: BroadcastSpec, index: number): string {
  return split?.branches[index] ?? `branch ${index + 1}`;
}
