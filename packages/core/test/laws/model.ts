import type { Case, Fault, JoinBy, PipeCase, SinkCase, SourceCase, SplitBy, StageCase, Value } from './case.js';
import { joinedBy } from './model-joins.js';
import { faultless, lanesOf } from './model-keys.js';
import { applied, calledOf, failedAt, failing, lossy, outOfStep } from './model-stages.js';
import { branchOf, sizeOf, tagged } from './values.js';

/** An error that a run may end with; `index` is `undefined` where it is a matter of chance. */
export interface Possible {
  readonly stage: string;
  readonly index: number | undefined;
  /** The code of the cause, where that is not what the case throws. */
  readonly code?: string;
}

/** What comes out at a place of a topology, as arrays tell. */
export interface Expected {
  /** All that can come, in order where that is sure. */
  readonly items: readonly Value[];
  readonly isOrdered: boolean;
  /** Whether what comes keeps the order of these, though some may be missing. */
  readonly isInOrder: boolean;
  /** What it can end with, besides well. */
  readonly errors: readonly Possible[];
  readonly mayEndWell: boolean;
  /** Whether exactly these items come before the one error there can be, or the end. */
  readonly isExact: boolean;
  /** Whether some items are left out when it ends well, and which is a matter of chance. */
  readonly isSome: boolean;
  /** The most items that come. */
  readonly most: number;
}

/** What went into a stage and came out of it. */
export interface Passed {
  readonly in: number;
  readonly out: number;
}

/** A place behind a merge where the order of each input can be told. */
export interface Joined {
  readonly name: string;
  readonly inputs: readonly Expected[];
  /** What the items of each are marked with. */
  readonly tags: ReadonlyArray<number | undefined>;
}

/** What a case gives. */
export interface Model {
  readonly sinks: readonly Expected[];
  /** Of each stage with a name, where all items go all the way. */
  readonly passed: ReadonlyMap<string, Passed>;
  readonly joined: readonly Joined[];
}

/** Works out what a case gives; `limits` has how many items sources were read of, where a run was told to drain. */
export function modelOf(made: Case, limits?: ReadonlyMap<string, number>): Model {
  const work = new Work(limits);
  const before = work.pipe(made.pipe);
  const { split } = made;
  const copies =
    made.sinks.length === 1 ? [before] : work.split(before, { split, drops: true, name: 'split' }, made.sinks.length);
  const sinks = made.sinks.map(({ stages, sink }, at) => work.sink(sink, work.stages(copies[at] as Expected, stages)));
  return { sinks, passed: work.passed, joined: work.joined };
}

class Work {
  readonly passed = new Map<string, Passed>();
  readonly joined: Joined[] = [];
  readonly #limits: ReadonlyMap<string, number> | undefined;

  constructor(limits: ReadonlyMap<string, number> | undefined) {
    this.#limits = limits;
  }

  pipe({ source, stages }: PipeCase): Expected {
    return this.stages(this.#source(source), stages);
  }

  stages(from: Expected, stages: readonly StageCase[]): Expected {
    return stages.reduce((items, stage) => this.#stage(items, stage), from);
  }

  sink({ fault, name = '' }: SinkCase, from: Expected): Expected {
    const end = failedAt(from, fault, name);
    this.passed.set(name, { in: from.items.length, out: end.items.length });
    return end;
  }

  #source(source: SourceCase): Expected {
    const { name = '' } = source;
    if (source.kind === 'merge')
      return this.#merge(
        name,
        source.inputs.map((input) => this.pipe(input)),
        source,
      );
    if (source.kind === 'diamond') return this.#diamond(name, source);
    const limit = this.#limits?.get(name) ?? Number.POSITIVE_INFINITY;
    const items = Array.from({ length: Math.min(source.items, limit) }, (_, at) => at);
    const all: Expected = { ...NOTHING, items };
    this.passed.set(name, { in: 0, out: items.length });
    const { fault } = source;
    // With as many items, or fewer, the end comes first; the one that fails is the one behind the last.
    if (fault === undefined || fault.at > items.length || fault.how === 'hangs') return all;
    // A run that drains may have come to its end just before the failure, or behind it.
    if (limit <= source.items && fault.at === items.length)
      return { ...all, errors: [{ stage: name, index: fault.at }], isExact: false };
    return { ...all, items: items.slice(0, fault.at), errors: [{ stage: name, index: fault.at }], mayEndWell: false };
  }

  #diamond(name: string, source: SourceCase & { readonly kind: 'diamond' }): Expected {
    const before = this.pipe(source.before);
    const { split, branches } = source;
    if (split === 'balance') return this.#balanced(before, source);
    const copies = this.split(before, { ...source, name: `${name} split` }, branches.length);
    return this.#merge(
      name,
      branches.map((branch, at) => this.stages(copies[at] as Expected, branch)),
      source,
    );
  }

  /** What comes to each branch of a split. */
  split(before: Expected, { split, drops, name = '', fault }: Splitting, branches: number): readonly Expected[] {
    if (split === 'broadcast') return Array.from({ length: branches }, () => before);
    if (split === 'balance') {
      const some = { ...lossy(before), isExact: false, isOrdered: false, isSome: true };
      return Array.from({ length: branches }, () => some);
    }
    let all = failedAt(before, fault, name);
    const unmatched = all.items.findIndex((value) => branchOf(value, split, branches) < 0);
    if (unmatched >= 0 && !drops)
      all = failing(
        all,
        { stage: name, index: all.isOrdered ? unmatched : undefined, code: 'ERR_CORE_UNMATCHED' },
        unmatched,
      );
    const shares = Array.from({ length: branches }, (_, branch) =>
      all.items.filter((value) => branchOf(value, split, branches) === branch),
    );
    const out = shares.reduce((sum, { length }) => sum + length, 0);
    this.passed.set(name, { in: before.items.length, out });
    return shares.map((items) => ({ ...all, items }));
  }

  /** Branches that all do the same, each to some of the items. */
  #balanced(before: Expected, { branches, isTagged }: SourceCase & { readonly kind: 'diamond' }): Expected {
    const [first = []] = branches;
    const quiet = new Work(this.#limits);
    const any = { ...before, isOrdered: false, isInOrder: false, isExact: false };
    const all = quiet.stages(any, first.map(faultless));
    const end = branches.reduce((made, branch) => withFaults(made, branch), all);
    if (!isTagged) return end;
    // By which branch an item came is a matter of chance.
    return { ...end, items: end.items.flatMap((value) => branches.map((_, at) => tagged(value, at))), isSome: true };
  }

  #lane(from: Expected, stages: readonly StageCase[], split: 'none' | 'broadcast' | 'partition'): Expected {
    if (split === 'none') return this.stages(from, stages);
    const [some, others] = this.split(from, { split, drops: false }, 2) as [Expected, Expected];
    const made = this.stages(some, stages);
    const items = [...made.items, ...others.items];
    return { ...made, items, isOrdered: false, isInOrder: false, isExact: false, most: made.most + others.most };
  }

  /** What the sub-pipelines of all keys make. */
  #lanes(from: Expected, stage: StageCase & { readonly kind: 'partitionBy' }): Expected {
    const { name = '', stages, isTagged, split } = stage;
    const quiet = new Work(this.#limits);
    const inner = stages.map(faultless);
    const ends = lanesOf(from.items, stage, from.isOrdered).map(({ tag, items, isEvicted }) => ({
      tag,
      made: quiet.#lane({ ...from, items, ...(isEvicted ? { errors: [], mayEndWell: true } : {}) }, inner, split),
    }));
    const tags = [...new Set(ends.map(({ tag }) => tag))];
    if (isTagged) {
      const inputs = tags.map((tag) => {
        const own = ends.filter((each) => each.tag === tag).map(({ made }) => made);
        const isOrdered = own.every((each) => each.isOrdered);
        return { tag, expected: { ...from, isOrdered, items: own.flatMap(({ items }) => items) } };
      });
      this.joined.push({ name, inputs: inputs.map(({ expected }) => expected), tags });
    }
    const made = ends.map((end) => end.made);
    return withFaults(
      {
        items: made.flatMap(({ items }) => items),
        isOrdered: false,
        isInOrder: false,
        errors: from.errors,
        mayEndWell: from.mayEndWell,
        isExact: false,
        isSome: from.isSome || made.some(({ isSome }) => isSome),
        most: made.reduce((sum, { most }) => sum + most, 0),
      },
      stages,
    );
  }

  #merge(
    name: string,
    inputs: readonly Expected[],
    { isTagged, by, isFlat = false }: { readonly isTagged: boolean; readonly by: JoinBy; readonly isFlat?: boolean },
  ): Expected {
    if (by !== 'merge') {
      const joined = joinedBy(by, inputs, isFlat);
      if (by !== 'zip') this.passed.set(name, { in: joined.items.length, out: joined.items.length });
      return joined;
    }
    const marked = inputs.map((input, at) =>
      isTagged ? { ...input, items: input.items.map((value) => tagged(value, at)) } : input,
    );
    if (isTagged) this.joined.push({ name, inputs: marked, tags: marked.map((_, at) => at) });
    const items = marked.flatMap((input) => input.items);
    this.passed.set(name, { in: items.length, out: items.length });
    return {
      items,
      isOrdered: inputs.length === 1 && marked[0]?.isOrdered === true,
      isInOrder: inputs.length === 1 && marked[0]?.isInOrder === true,
      errors: marked.flatMap(({ errors }) => errors),
      mayEndWell: marked.every(({ mayEndWell }) => mayEndWell),
      isExact: false,
      isSome: marked.some(({ isSome }) => isSome),
      most: marked.reduce((sum, { most }) => sum + most, 0),
    };
  }

  #stage(from: Expected, stage: StageCase): Expected {
    const { name = '' } = stage;
    if (stage.kind === 'compose') return this.stages(from, stage.stages);
    const fault = 'fault' in stage ? stage.fault : undefined;
    const given =
      stage.kind === 'foreign' ? lossy(from) : failedAt(outOfStep(from, stage), calledOf(from, stage, fault), name);
    const end = stage.kind === 'partitionBy' ? this.#lanes(given, stage) : applied(given, stage, name);
    if (!UNCOUNTED.has(stage.kind)) this.passed.set(name, { in: from.items.length, out: end.items.length });
    return end;
  }
}

/** How many batches there are is a matter of chance; what a sub-pipeline makes is counted behind it. */
const UNCOUNTED = new Set<StageCase['kind']>(['regroup', 'busy', 'window', 'partitionBy']);

interface Splitting {
  readonly split: SplitBy;
  readonly drops: boolean;
  readonly name?: string;
  readonly fault?: Fault | undefined;
}

/** What else can happen where the functions of these stages may fail, at the item that happens to be at hand. */
function withFaults(from: Expected, stages: readonly StageCase[]): Expected {
  const errors = [...from.errors];
  let { isSome } = from;
  const look = (stage: StageCase): void => {
    if (stage.kind === 'compose' || stage.kind === 'partitionBy') stage.stages.forEach(look);
    if (stage.kind === 'overflow' && stage.overflow === 'fail')
      errors.push({ stage: stage.name ?? '', index: undefined, code: 'ERR_CORE_OVERFLOW' });
    const fault = 'fault' in stage ? stage.fault : undefined;
    const inside = stage.kind === 'flatMap' ? stage.inside : undefined;
    const canFail = (fault !== undefined && fault.how !== 'hangs') || inside !== undefined;
    if (canFail) errors.push({ stage: stage.name ?? '', index: undefined });
    if (fault?.how === 'hangs') isSome = true;
  };
  stages.forEach(look);
  return { ...from, errors, isSome };
}

const NOTHING: Expected = {
  items: [],
  isOrdered: true,
  isInOrder: true,
  errors: [],
  mayEndWell: true,
  isExact: true,
  isSome: false,
  most: Number.POSITIVE_INFINITY,
};

/** The sum of what a run is sure to give: for the message of a failure. */
export function shown(items: readonly Value[]): string {
  const some = items.slice(0, 40).map((value) => JSON.stringify(value));
  return `[${some.join(', ')}${items.length > 40 ? `, … ${items.length} in all, ${items.reduce<number>((sum, value) => sum + sizeOf(value), 0)}` : ''}]`;
}
