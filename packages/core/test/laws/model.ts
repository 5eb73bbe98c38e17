import type { Case, Fault, PipeCase, SinkCase, SourceCase, StageCase, Value } from './case.js';
import { isEarly, isKept, keyOf, mapped, sizeOf, summed, tagged, unfolded } from './values.js';

/** An error that a run may end with; `index` is `undefined` where it is a matter of chance. */
export interface Possible {
  readonly stage: string;
  readonly index: number | undefined;
}

/** What comes out at a place of a topology, as arrays tell. */
export interface Expected {
  /** All that can come, in order where that is sure. */
  readonly items: readonly Value[];
  readonly isOrdered: boolean;
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
  const sinks = made.sinks.map(({ stages, sink }) => work.sink(sink, work.stages(before, stages)));
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
    if (source.kind === 'diamond') {
      const before = this.pipe(source.before);
      return this.#merge(
        name,
        source.branches.map((branch) => this.stages(before, branch)),
        source,
      );
    }
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

  #merge(name: string, inputs: readonly Expected[], { isTagged }: { readonly isTagged: boolean }): Expected {
    const marked = inputs.map((input, at) =>
      isTagged ? { ...input, items: input.items.map((value) => tagged(value, at)) } : input,
    );
    if (isTagged) this.joined.push({ name, inputs: marked });
    const items = marked.flatMap((input) => input.items);
    this.passed.set(name, { in: items.length, out: items.length });
    return {
      items,
      isOrdered: inputs.length === 1 && marked[0]?.isOrdered === true,
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
    const end = applied(given, stage, name);
    // How many batches there are is a matter of chance.
    if (stage.kind !== 'regroup') this.passed.set(name, { in: from.items.length, out: end.items.length });
    return end;
  }
}

const NOTHING: Expected = {
  items: [],
  isOrdered: true,
  errors: [],
  mayEndWell: true,
  isExact: true,
  isSome: false,
  most: Number.POSITIVE_INFINITY,
};

/** What comes in an unsure number before an error. */
function lossy(from: Expected): Expected {
  return { ...from, isExact: from.isExact && from.errors.length === 0 };
}

/** What passes a function that fails, or hangs, at one of its calls. */
function failedAt(from: Expected, fault: Fault | undefined, stage: string): Expected {
  if (fault === undefined || fault.at >= from.items.length) return from;
  // A run with a function that hangs is aborted.
  if (fault.how === 'hangs') return { ...from, isExact: false, isSome: true };
  return failing(from, { stage, index: fault.at }, fault.at);
}

/** The fault of a stage, unless its function is not called so often: some ask until the first item that is not early. */
function calledOf({ items }: Expected, { kind }: StageCase, fault: Fault | undefined): Fault | undefined {
  if (kind !== 'dropWhile' && kind !== 'takeWhile') return fault;
  const last = items.findIndex((value) => !isEarly(value));
  return fault !== undefined && last >= 0 && fault.at > last ? undefined : fault;
}

/** What is done in the order of completion: what comes before a failure is a matter of chance. */
function outOfStep(from: Expected, stage: StageCase): Expected {
  const isOrdered = stage.kind !== 'mapAsync' || stage.ordered || stage.concurrency === 1;
  return isOrdered ? from : { ...lossy(from), isOrdered: false };
}

function failing(from: Expected, error: Possible, at: number): Expected {
  if (from.isExact && from.isOrdered)
    return { ...from, items: from.items.slice(0, at), errors: [error], mayEndWell: false };
  return { ...from, errors: [...from.errors, error], mayEndWell: from.mayEndWell && from.isSome };
}

function applied(from: Expected, stage: StageCase, name: string): Expected {
  const { items } = from;
  switch (stage.kind) {
    case 'map':
    case 'mapAsync':
      return { ...from, items: items.map(mapped) };
    case 'filter':
    case 'filterMap':
      return { ...from, items: items.filter(isKept) };
    case 'scan': {
      let sum = 0;
      return { ...from, items: items.map((value) => (sum = summed(sum, value))) };
    }
    case 'dedupe':
      return {
        ...from,
        items: items.filter((value, at) => at === 0 || keyOf(value) !== keyOf(items[at - 1] as Value)),
      };
    case 'unique': {
      const seen = new Set<number>();
      return { ...from, items: items.filter((value) => !seen.has(keyOf(value)) && seen.add(keyOf(value))) };
    }
    case 'takeWhile': {
      const end = items.findIndex((value) => !isEarly(value));
      return end < 0 ? from : taken(from, end);
    }
    case 'dropWhile': {
      const first = items.findIndex((value) => !isEarly(value));
      return { ...from, items: first < 0 ? [] : items.slice(first) };
    }
    case 'totals': {
      let sum = 0;
      const totals = items.map((value) => (sum = summed(sum, value)));
      // An error leaves out the one at the end.
      return { ...from, items: from.isExact && !from.mayEndWell ? totals : [...totals, sum] };
    }
    case 'drop':
      return { ...from, items: items.slice(stage.items) };
    case 'take':
      return taken(from, stage.items);
    case 'batch':
      return batched(from, stage.maxItems);
    case 'flatMap':
      return unfolding(from, stage, name);
    case 'regroup':
      return lossy(from);
    case 'foreign': {
      const { fault } = stage;
      const end = { ...from, items: items.map(mapped) };
      if (fault === undefined || fault.at >= items.length) return end;
      if (fault.how === 'hangs') return { ...end, isExact: false, isSome: true };
      return failing({ ...end, isExact: false }, { stage: name, index: undefined }, fault.at);
    }
    default:
      return from;
  }
}

function taken(from: Expected, items: number): Expected {
  if (from.isExact && from.isOrdered) {
    if (items > from.items.length) return from;
    return { ...from, items: from.items.slice(0, items), errors: [], mayEndWell: true };
  }
  const most = Math.min(from.most, items);
  if (items > from.items.length) return { ...from, most };
  if (!from.isOrdered) return { ...from, isExact: false, isSome: true, mayEndWell: true, most };
  return {
    ...from,
    isExact: from.isExact,
    isSome: from.isSome,
    items: from.items.slice(0, items),
    mayEndWell: true,
    most,
  };
}

function batched(from: Expected, maxItems: number): Expected {
  const { items } = from;
  const batches = Array.from({ length: Math.ceil(items.length / maxItems) }, (_, at) =>
    items.slice(at * maxItems, (at + 1) * maxItems),
  );
  // An error discards the batch that is open.
  const isCut = from.isExact && !from.mayEndWell && items.length % maxItems > 0;
  return { ...from, items: isCut ? batches.slice(0, -1) : batches };
}

function unfolding(from: Expected, stage: StageCase & { readonly kind: 'flatMap' }, name: string): Expected {
  const most = from.most * Math.max(1, ...from.items.map((value) => unfolded(value, stage.most).length));
  const made = from.items.map((value) => unfolded(value, stage.most));
  const all: Expected = { ...from, items: made.flat(), most };
  if (stage.inside === undefined || !stage.isIterator || stage.inside >= all.items.length) return all;
  let left = stage.inside;
  const index = made.findIndex((items) => {
    left -= items.length;
    return left < 0;
  });
  return failing(all, { stage: name, index: from.isExact && from.isOrdered ? index : undefined }, stage.inside);
}

/** The sum of what a run is sure to give: for the message of a failure. */
export function shown(items: readonly Value[]): string {
  const some = items.slice(0, 40).map((value) => JSON.stringify(value));
  return `[${some.join(', ')}${items.length > 40 ? `, … ${items.length} in all, ${items.reduce<number>((sum, value) => sum + sizeOf(value), 0)}` : ''}]`;
}
