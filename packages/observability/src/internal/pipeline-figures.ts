import type { Observer, PlannedStage, RunSummary, RunView, StageCounts, StageError } from '@millrace/core';
import type { ErrorSnapshot, PipelineState } from '../snapshot.js';
import { errorTypeOf } from './error-type.js';
import { add, allocate, COUNTS, NODE, NODE_SLOTS, recordService, STAGE, STAGE_SLOTS } from './slots.js';

type Plan = RunView['plan'];

const MOST_ERROR_TYPES = 32;

/** The slots of one stage. */
export interface StageFigures {
  readonly name: string;
  readonly kind: PlannedStage['kind'];
  readonly node: number;
  readonly slots: Float64Array;
  /** The counts of runs that are over. */
  readonly past: Float64Array;
  readonly errors: Map<string, number>;
}

/** The slots of one node. */
export interface NodeFigures {
  readonly name: string;
  readonly slots: Float64Array;
}

/** What the figures call when something happens to a run that has their name. */
export interface PipelineEvents {
  started(run: RunView): void;
  /** Looked at when a run begins. */
  readonly warned: ((message: string) => void) | undefined;
  failed(error: StageError, type: string): void;
  changed(state: 'draining' | 'closing'): void;
  ended(summary: RunSummary, state: EndState, error: unknown): void;
}

/** How a run can end. */
export type EndState = 'done' | 'failed' | 'aborted';

/** The figures of all runs that have one name: runs under way are read when asked, those that are over were added up. */
export class PipelineFigures {
  readonly stages: StageFigures[] = [];
  readonly nodes: NodeFigures[] = [];
  readonly runs: { started: number; done: number; failed: number; aborted: number } = {
    started: 0,
    done: 0,
    failed: 0,
    aborted: 0,
  };
  readonly name: string;
  inFlight: number = 0;
  inFlightBound: number = 0;
  lastError: ErrorSnapshot | undefined;
  readonly #isTimed: boolean;
  readonly #now: () => number;
  readonly #events: PipelineEvents;
  readonly #live: Set<LiveRun> = new Set();
  #lastEnd: EndState = 'done';

  constructor(name: string, isTimed: boolean, now: () => number, events: PipelineEvents) {
    this.name = name;
    this.#isTimed = isTimed;
    this.#now = now;
    this.#events = events;
  }

  get state(): PipelineState {
    return [...this.#live].at(-1)?.state ?? this.#lastEnd;
  }

  /** Begins to follow a run; gives the observer of that run alone. */
  follow(view: RunView): Observer {
    const nodes = this.#nodesOf(view.plan);
    const run = new LiveRun(view, this.#stagesOf(view.plan, nodes));
    this.#live.add(run);
    this.runs.started++;
    this.#events.started(view);
    const { warned } = this.#events;
    return {
      ...(warned !== undefined && { warned }),
      ...(this.#isTimed &&
        timesInto(
          view.plan,
          nodes.map((at) => (this.nodes[at] as NodeFigures).slots),
        )),
      failed: (error) => this.#fail(run, error),
      changed: (state) => {
        run.state = state;
        this.#events.changed(state);
      },
      ended: (summary, error) => this.#end(run, summary, error),
    };
  }

  /** Brings all slots up to date. */
  refresh(): void {
    for (const { slots, past } of this.stages) {
      slots.set(past);
      slots[STAGE.waiting] = slots[STAGE.inside] = 0;
      if (this.#live.size > 0) slots[STAGE.highWaterMark] = slots[STAGE.capacity] = 0;
    }
    this.inFlight = 0;
    if (this.#live.size > 0) this.inFlightBound = 0;
    for (const run of this.#live) {
      run.addTo(this.stages);
      this.inFlight += run.view.inFlight();
      this.inFlightBound += run.view.plan.bound;
    }
  }

  #fail(run: LiveRun, error: StageError): void {
    run.seen.add(error);
    const type = errorTypeOf(error.cause);
    const errors = this.stages.find(({ name }) => name === error.stage)?.errors;
    const key = errors === undefined || errors.has(type) || errors.size < MOST_ERROR_TYPES ? type : '_OTHER';
    errors?.set(key, (errors.get(key) ?? 0) + 1);
    const { stage, message, index } = error;
    this.lastError = { stage, type: key, message, index, atMs: this.#now() };
    this.#events.failed(error, key);
  }

  #end(run: LiveRun, summary: RunSummary, error: unknown): void {
    // An error that came while the run was being built, before it was observed, is first heard of here.
    if (isStageError(error) && !run.seen.has(error)) this.#fail(run, error);
    this.refresh();
    this.#live.delete(run);
    const state = endStateOf(error);
    this.#lastEnd = state;
    this.runs[state]++;
    run.keep(this.stages, summary.stages);
    this.#events.ended(summary, state, error);
  }

  #nodesOf(plan: Plan): number[] {
    const names = new Map<number, string[]>();
    for (const { node, name } of plan.stages) names.set(node, [...(names.get(node) ?? []), name]);
    return [...names.values()].map((stages) => {
      const name = stages.join(' → ');
      const at = this.nodes.findIndex((node) => node.name === name);
      return at >= 0 ? at : this.nodes.push({ name, slots: allocate(NODE_SLOTS) }) - 1;
    });
  }

  /** Where each stage of a plan is among the figures. */
  #stagesOf(plan: Plan, nodes: readonly number[]): number[] {
    return plan.stages.map(({ name, kind, node }) => {
      const at = this.stages.findIndex((stage) => stage.name === name);
      if (at >= 0) return at;
      const slots = allocate(STAGE_SLOTS);
      const past = new Float64Array(COUNTS.length);
      return this.stages.push({ name, kind, node: nodes[node] as number, slots, past, errors: new Map() }) - 1;
    });
  }
}

/** What a plan says of where a stage can have items, in the items of the stage. */
interface Room {
  readonly edge: number;
  readonly inside: number;
  readonly isQueue: boolean;
}

/** One run that is under way. */
class LiveRun {
  readonly view: RunView;
  readonly seen: WeakSet<StageError> = new WeakSet();
  state: PipelineState = 'running';
  readonly #places: readonly number[];
  /** Room on the edge of each stage and inside it, in its own items. */
  readonly #rooms: readonly Room[];

  constructor(view: RunView, places: readonly number[]) {
    this.view = view;
    this.#places = places;
    const { rooms, stages, nodes } = view.plan;
    this.#rooms = stages.map(({ name, weight, node }) => {
      const own = rooms.filter(({ stage }) => stage === name);
      const sum = (isEdge: boolean): number =>
        own.reduce((total, { where, items }) => ((where === 'edge') === isEdge ? total + items : total), 0) / weight;
      const planned = nodes[node];
      // What is inside a buffer waits on its edge.
      const isQueue = planned?.spec?.isQueue === true;
      return { edge: sum(true), inside: sum(false), isQueue };
    });
  }

  addTo(stages: readonly StageFigures[]): void {
    const counts = this.view.counts();
    const waiting = this.view.waiting();
    this.#places.forEach((place, at) => {
      const { slots } = stages[place] as StageFigures;
      const each = counts[at] as StageCounts;
      addCounts(slots, each);
      add(slots, STAGE.waiting, waiting[at] as number);
      const room = this.#rooms[at] as Room;
      if (!room.isQueue) add(slots, STAGE.inside, insideOf(each));
      add(slots, STAGE.highWaterMark, room.edge);
      add(slots, STAGE.capacity, room.inside);
    });
  }

  /** Adds the counts of the run to those of the runs that are over. */
  keep(stages: readonly StageFigures[], counts: readonly StageCounts[]): void {
    this.#places.forEach((place, at) => {
      addCounts((stages[place] as StageFigures).past, counts[at] as StageCounts);
    });
  }
}

/** The part of an observer that takes times; without it the run reads no clock. */
function timesInto(plan: Plan, slots: readonly Float64Array[]): Pick<Observer, 'burst' | 'served'> {
  // Items of a group are in service while it works on them; other nodes say how long theirs were.
  const isGroup = slots.map((_, node) => plan.nodes[node]?.type === 'group');
  return {
    burst(node, items, tookMs) {
      const own = slots[node] as Float64Array;
      add(own, NODE.runningMs, tookMs);
      if (isGroup[node] && items > 0) recordService(own, items, tookMs / items);
    },
    served: (node, items, tookMs) => recordService(slots[node] as Float64Array, items, tookMs),
  };
}

function addCounts(slots: Float64Array, counts: StageCounts): void {
  COUNTS.forEach((name, at) => {
    add(slots, at, counts[name]);
  });
}

function insideOf(c: StageCounts): number {
  return c.in + c.made - c.out - c.absorbed - c.filtered - c.deduped - c.deadLettered - c.dropped - c.abandoned;
}

function endStateOf(error: unknown): EndState {
  if (error === undefined) return 'done';
  return isStageError(error) || (error as { code?: unknown })?.code === 'ERR_CORE_CLOSE' ? 'failed' : 'aborted';
}

function isStageError(error: unknown): error is StageError {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_CORE_STAGE';
}
