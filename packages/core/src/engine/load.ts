import { whenMyTurn } from './budget.js';
import { inside, type StageCounts } from './counts.js';
import type { Plan, PlanNode } from './plan.js';
import { type SizeOf, weightOf } from './scale.js';
import type { StepKind } from './step.js';

/** A source of a run whose items are weighed; it waits where they are too heavy. */
export interface LoadedSource {
  /** Reads on. */
  release(): void;
  /** Tells the stages behind it that gather items to hand on what they have. */
  flush(): void;
}

/** A stage with several inputs: says how many items of each it has handed on. */
export interface LoadedJoin {
  readonly taken: readonly number[];
}

/** What a load has to know of its run. */
export interface LoadedRun {
  readonly insideNow: number;
  /** Whether what the run is for has been asked for. */
  readonly isWanted: boolean;
  readonly isOver: boolean;
}

/** An item of a source, of which something is still inside. */
interface Parcel {
  readonly size: number;
  readonly source: number;
  /** On how many branches. */
  parts: number;
}

/** What came of a parcel, before or in a stage: gone from there once so many items of that input are. */
interface Part {
  readonly parcel: Parcel;
  readonly upTo: number;
}

/**
 * Weighs what is inside a run, from when a source hands an item on until all that came of it has left, and lets sources
 * read while that is less than the run may hold. A source that has nothing inside may always read one item, so that no
 * input of a stage that needs several is cut off by the others.
 *
 * Nothing travels with the items: where they are is read off the counts of the stages, so an item may be found to have
 * left later than it did, and never earlier. How, and what it costs: ADR 25.
 */
export class Load {
  readonly #max: number;
  readonly #size: SizeOf;
  readonly #plan: Plan;
  readonly #run: LoadedRun;
  readonly #counts: () => readonly StageCounts[];
  /** The stages behind each. */
  readonly #behind: ReadonlyArray<readonly number[]>;
  /** The stages that wait for more before they hand on what they have. */
  readonly #gathering: readonly number[];
  /** The stages that go on by themselves as long as they have something. */
  readonly #serving: readonly number[];
  /** What is before or in each stage, of each of its inputs, oldest first. */
  readonly #parts: Part[][][];
  readonly #joins = new Map<number, LoadedJoin>();
  readonly #sources = new Map<number, LoadedSource>();
  /** How many parcels each source has inside. */
  readonly #parcels = new Map<number, number>();
  readonly #waiting = new Set<number>();
  #total = 0;
  /** What had passed when the run was last flushed: again it is when more has. */
  #flushedAt = -1;
  #isSoon = false;

  constructor(plan: Plan, max: number, size: SizeOf, run: LoadedRun, counts: () => readonly StageCounts[]) {
    this.#max = max;
    this.#size = size;
    this.#plan = plan;
    this.#run = run;
    this.#counts = counts;
    const { stages } = plan;
    this.#behind = stages.map((_, at) => stages.flatMap(({ inputs }, to) => (inputs.includes(at) ? [to] : [])));
    this.#gathering = stages.flatMap((_, at) => (gathers(plan, at) ? [at] : []));
    this.#serving = stages.flatMap((_, at) => (serves(plan, at) ? [at] : []));
    this.#parts = stages.map(({ inputs }) => inputs.map(() => []));
  }

  open(stage: number, source: LoadedSource): void {
    this.#sources.set(stage, source);
    this.#parcels.set(stage, 0);
  }

  join(stage: number, join: LoadedJoin): void {
    this.#joins.set(stage, join);
  }

  /** Whether a source may read one item. */
  mayRead(stage: number): boolean {
    return this.#total < this.#max || this.#parcels.get(stage) === 0;
  }

  /** A source waits until it may read. */
  hold(stage: number): void {
    this.#waiting.add(stage);
    this.moved();
  }

  /** A source hands on an item, its `index`th; throws where that can't be weighed. */
  enter(stage: number, item: unknown, index: number): void {
    const parcel = { size: weightOf(this.#size, item), source: stage, parts: 1 };
    this.#total += parcel.size;
    this.#parcels.set(stage, (this.#parcels.get(stage) as number) + 1);
    for (const to of this.#behind[stage] as readonly number[]) this.#put(stage, to, { parcel, upTo: index + 1 });
  }

  /** Something has moved in the run: sources that wait may read on, soon, when every node has come to rest. */
  moved(): void {
    if (this.#waiting.size === 0 || this.#isSoon) return;
    this.#isSoon = true;
    queueMicrotask(this.#look);
  }

  readonly #look = (): void => {
    this.#isSoon = false;
    if (this.#run.isOver) return;
    const counts = this.#counts();
    for (let at = 0; at < this.#parts.length; at++) this.#follow(at, counts);
    // Whatever the counts of a stage say, nothing of the items is left where nothing is inside.
    if (this.#run.insideNow <= 0) this.#clear();
    for (const stage of [...this.#waiting]) {
      if (!this.mayRead(stage)) continue;
      this.#waiting.delete(stage);
      this.#sources.get(stage)?.release();
    }
    if (this.#waiting.size === 0 || !this.#isStuck(counts)) return;
    // Items may be on their way, in a promise, or in a loop that has given way to others.
    const passed = passedOf(counts);
    if (passed !== this.#flushedAt) whenMyTurn(() => this.#flush(passed));
  };

  /** Lets the parts that have left a stage go to those behind it. */
  #follow(at: number, counts: readonly StageCounts[]): void {
    const { inputs } = this.#plan.stages[at] as Plan['stages'][number];
    const own = counts[at] as StageCounts;
    const taken = this.#joins.get(at)?.taken;
    const isOrdered = keepsOrder(this.#plan, at, own);
    inputs.forEach((input, number) => {
      const parts = this.#parts[at]?.[number] as Part[];
      const done = taken?.[number] ?? own.in - inside(own);
      // Which items a stage without an order has let go of is not known before all are gone.
      const given = (counts[input] as StageCounts).out;
      let gone = 0;
      while (gone < parts.length && (isOrdered ? (parts[gone] as Part).upTo : given) <= done) gone++;
      // One item for each that came, or none, in their order.
      const isPlain = isOrdered && taken === undefined && own.made === 0;
      for (const part of parts.splice(0, gone)) this.#leave(at, part, isPlain, counts);
    });
  }

  #leave(at: number, { parcel, upTo }: Part, isPlain: boolean, counts: readonly StageCounts[]): void {
    const behind = this.#behind[at] as readonly number[];
    parcel.parts += behind.length - 1;
    for (const to of behind) {
      // Each branch takes what the broadcast gets.
      const isBranch = this.#plan.stages[to]?.kind === 'branch';
      const out = isBranch ? (counts[to] as StageCounts).in : (counts[at] as StageCounts).out;
      this.#put(at, to, { parcel, upTo: isBranch || isPlain ? Math.min(upTo, out) : out });
    }
    if (parcel.parts > 0) return;
    this.#total -= parcel.size;
    const left = (this.#parcels.get(parcel.source) as number) - 1;
    this.#parcels.set(parcel.source, left);
  }

  #put(from: number, to: number, part: Part): void {
    const input = this.#plan.stages[to]?.inputs.indexOf(from) as number;
    this.#parts[to]?.[input]?.push(part);
  }

  #clear(): void {
    for (const parts of this.#parts.flat()) parts.length = 0;
    for (const stage of this.#parcels.keys()) this.#parcels.set(stage, 0);
    // What is left of adding and taking away fractions ends here as well.
    this.#total = 0;
  }

  /**
   * Whether nothing will move by itself: nothing is in service, the consumer waits, and stages that gather have what they
   * could hand on. Without those the sources are all there is to wait for.
   */
  #isStuck(counts: readonly StageCounts[]): boolean {
    if (!this.#run.isWanted) return false;
    const has = (at: number): boolean => inside(counts[at] as StageCounts) > 0;
    return this.#gathering.some(has) && !this.#serving.some(has);
  }

  /** Lets go of what is gathered, where nothing has moved since so much had `passed`. */
  #flush(passed: number): void {
    if (this.#run.isOver) return;
    if (passedOf(this.#counts()) !== passed) return this.#look();
    if (passed === this.#flushedAt) return;
    this.#flushedAt = passed;
    this.#waiting.clear();
    for (const source of this.#sources.values()) source.flush();
  }
}

/** How often items have passed into and out of stages. */
function passedOf(counts: readonly StageCounts[]): number {
  return counts.reduce((sum, each) => sum + each.in + each.out, 0);
}

/** Whether a stage hands on what it has only when more has come, or the end, or a mark. */
function gathers({ nodes, stages }: Plan, at: number): boolean {
  const node = nodes[stages[at]?.node as number];
  if (node?.spec !== undefined) return node.spec.gathers === true;
  return stepOf(node, at)?.held !== undefined;
}

/** The kind of step that a stage is, in a group. */
function stepOf(node: PlanNode | undefined, stage: number): StepKind | undefined {
  return node?.group?.shape.steps[node.stages?.indexOf(stage) ?? -1];
}

/** Whether what a stage has comes out of it, or ends, without anything else: calls, queries, writes, what waits for its time. */
function serves({ nodes, stages }: Plan, at: number): boolean {
  const { kind, node: number } = stages[at] as Plan['stages'][number];
  const node = nodes[number];
  if (node?.spec !== undefined) return node.spec.gathers !== true && node.spec.isQueue !== true;
  if (kind === 'sink') return true;
  const step = stepOf(node, at);
  return step !== undefined && step.held === undefined && step.cursor === undefined;
}

/** Whether the items that have left a stage are those that came first. */
function keepsOrder(
  { nodes, stages }: Plan,
  at: number,
  { dropped, deadLettered, filtered, deduped }: StageCounts,
): boolean {
  const { kind, node: number } = stages[at] as Plan['stages'][number];
  const node = nodes[number];
  if (isKeyed(nodes, number)) return false;
  if (kind !== 'operator' || node?.spec === undefined) return true;
  // One that keeps an item back may lose those behind it meanwhile.
  return node.spec.keepsOrder === true && dropped + deadLettered + filtered + deduped === 0;
}

/** Whether a node tells items apart by key, is part of what each key has, or brings them together. */
function isKeyed(nodes: Plan['nodes'], number: number): boolean {
  return nodes.some(({ last = -1 }, at) => at <= number && number <= last);
}
