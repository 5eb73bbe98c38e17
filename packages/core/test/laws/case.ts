/** A value that flows: a number, or a batch of values. */
export type Value = number | readonly Value[];

/** When a function answers: at once, by a promise that has resolved, or some time, when the schedule picks it. */
export type When = 'now' | 'micro' | 'some';

/** What goes wrong at the call, or item, number `at`. */
export interface Fault {
  readonly at: number;
  readonly how: 'throws' | 'rejects' | 'hangs';
}

/** What all stages of a case have. Names are given by `named()`, so that a plan, an error and the model say the same. */
interface Named {
  readonly name?: string;
}

/** One stage of a case. */
export type StageCase = Named &
  (
    | {
        readonly kind:
          | 'map'
          | 'tap'
          | 'filter'
          | 'filterMap'
          | 'scan'
          | 'dedupe'
          | 'unique'
          | 'takeWhile'
          | 'dropWhile'
          | 'totals';
        readonly mark?: number | undefined;
        readonly fault?: Fault | undefined;
      }
    | { readonly kind: 'take' | 'drop'; readonly items: number; readonly mark?: number | undefined }
    | {
        readonly kind: 'flatMap';
        readonly most: number;
        readonly isIterator: boolean;
        readonly mark?: number | undefined;
        readonly fault?: Fault | undefined;
        /** Fails in the iterator, at the item that is the so-manieth of all it gives. */
        readonly inside?: number | undefined;
      }
    | { readonly kind: 'batch'; readonly maxItems: number; readonly mark?: number | undefined }
    | {
        /** A batch whose limits do not make the same batches each time, taken apart again. */
        readonly kind: 'regroup';
        readonly maxItems?: number | undefined;
        readonly maxBytes?: number | undefined;
        readonly maxWaitMs?: number | undefined;
        readonly between: 'nothing' | 'buffer' | 'mapAsync';
        readonly mark?: number | undefined;
      }
    | {
        readonly kind: 'mapAsync';
        readonly concurrency: number;
        readonly ordered: boolean;
        readonly when: When;
        readonly mark?: number | undefined;
        readonly fault?: Fault | undefined;
      }
    | { readonly kind: 'buffer'; readonly items: number }
    | { readonly kind: 'foreign'; readonly isPair: boolean; readonly when: When; readonly fault?: Fault | undefined }
    | { readonly kind: 'compose'; readonly stages: readonly StageCase[] }
  );

/** Where the items of a case come from. */
export type SourceCase = Named &
  (
    | {
        readonly kind: 'array' | 'range' | 'iterator' | 'reader' | 'async' | 'stream';
        readonly items: number;
        readonly when: When;
        readonly fault?: Fault | undefined;
      }
    | {
        readonly kind: 'merge';
        readonly inputs: readonly PipeCase[];
        readonly mark: number;
        /** Whether the items of each input are marked, so that their order can be told behind the merge. */
        readonly isTagged: boolean;
      }
    | {
        readonly kind: 'diamond';
        readonly before: PipeCase;
        readonly branches: ReadonlyArray<readonly StageCase[]>;
        readonly branchMark: number;
        readonly mark: number;
        readonly isTagged: boolean;
      }
  );

/** A source and the stages behind it. */
export interface PipeCase {
  readonly source: SourceCase;
  readonly stages: readonly StageCase[];
}

/** Where the items of a case go to. */
export interface SinkCase extends Named {
  readonly kind: 'function' | 'sink' | 'writable' | 'values' | 'readable';
  readonly when: When;
  readonly mark: number | undefined;
  readonly burst: number;
  readonly fault?: Fault | undefined;
}

/** How a run ends before its items do. */
export interface Ending {
  readonly kind: 'well' | 'abort' | 'signal' | 'drain' | 'cancel';
  /** At which call of a user's function, all counted; `undefined`: some time. */
  readonly at: number | undefined;
}

/** A topology and what happens to it: all that a run of the laws needs, as plain data. */
export interface Case {
  readonly pipe: PipeCase;
  /** The sinks; several are the branches of a broadcast, each with stages of its own. */
  readonly sinks: ReadonlyArray<{ readonly stages: readonly StageCase[]; readonly sink: SinkCase }>;
  readonly branchMark: number;
  readonly ending: Ending;
  readonly fuse: boolean;
  readonly generate: boolean;
  /** Whether items carry their origins. */
  readonly context: boolean;
  readonly isObserved: boolean;
  /** Decides what happens next, where several things are under way. */
  readonly order: number;
}

/** Whether stages of this kind give the same whatever the order of their items. */
function minds(stage: StageCase): boolean {
  return ['scan', 'dedupe', 'unique', 'drop', 'takeWhile', 'dropWhile', 'totals'].includes(stage.kind);
}

/** Names everything, and leaves out or replaces what would make the result a matter of chance. */
export function named(made: Case): Case {
  const names = new Map<string, number>();
  const isSlow = JSON.stringify(made).includes('"some"');
  const name = (kind: string): string => {
    const at = names.get(kind) ?? 0;
    names.set(kind, at + 1);
    return `${kind}-${at}`;
  };
  const hangs = (made.ending.kind === 'abort' || made.ending.kind === 'signal') && made.ending.at === undefined;
  const faultOf = <T extends { readonly fault?: Fault | undefined }>(part: T, canWait: boolean): T => {
    const { fault } = part;
    if (fault === undefined) return part;
    const how = !canWait || (fault.how === 'hangs' && !hangs) ? 'throws' : fault.how;
    return { ...part, fault: { ...fault, how } };
  };
  const stagesOf = (stages: readonly StageCase[], isOrdered: boolean): { stages: StageCase[]; isOrdered: boolean } => {
    let inOrder = isOrdered;
    const all: StageCase[] = [];
    for (const stage of stages) {
      if (!inOrder && minds(stage)) continue;
      if (!inOrder && stage.kind === 'batch') {
        all.push({ ...stage, kind: 'regroup', between: 'nothing', name: name('regroup') });
        continue;
      }
      if (stage.kind === 'compose') {
        const inner = stagesOf(stage.stages, inOrder);
        inOrder = inner.isOrdered;
        if (inner.stages.length > 0) all.push({ ...stage, stages: inner.stages, name: name('compose') });
        continue;
      }
      const canWait = stage.kind === 'mapAsync' || stage.kind === 'foreign';
      all.push({ ...('fault' in stage ? faultOf(stage, canWait) : stage), name: name(stage.kind) } as StageCase);
      if (stage.kind === 'mapAsync' && !stage.ordered && stage.concurrency > 1) inOrder = false;
    }
    return { stages: all, isOrdered: inOrder };
  };
  const sourceOf = (source: SourceCase): { source: SourceCase; isOrdered: boolean } => {
    if (source.kind === 'merge') {
      const inputs = source.inputs.map((input) => pipeOf(input).pipe);
      return { source: { ...source, inputs, name: name('merge') }, isOrdered: false };
    }
    if (source.kind === 'diamond') {
      const before = pipeOf(source.before);
      const branches = source.branches.map((branch) => stagesOf(branch, before.isOrdered).stages);
      return { source: { ...source, before: before.pipe, branches, name: name('diamond') }, isOrdered: false };
    }
    const canWait = source.kind === 'reader' || source.kind === 'async' || source.kind === 'stream';
    const isLoop = source.kind === 'array' || source.kind === 'range';
    const items = isSlow ? source.items % 40 : source.items;
    const fault = isLoop ? undefined : faultOf(source, canWait).fault;
    const called = source.kind === 'range' ? counted('range', names) : name(source.kind);
    return { source: { ...source, items, fault, name: called }, isOrdered: true };
  };
  const pipeOf = (pipe: PipeCase): { pipe: PipeCase; isOrdered: boolean } => {
    const { source, isOrdered } = sourceOf(pipe.source);
    const { stages, isOrdered: stillOrdered } = stagesOf(pipe.stages, isOrdered);
    return { pipe: { source, stages }, isOrdered: stillOrdered };
  };
  const { pipe, isOrdered } = pipeOf(made.pipe);
  const isAlone = made.sinks.length === 1;
  const sinks = made.sinks.map(({ stages, sink }) => {
    const isPulled = sink.kind === 'values' || sink.kind === 'readable';
    const kind = isPulled && (!isAlone || ['abort', 'drain'].includes(made.ending.kind)) ? 'function' : sink.kind;
    const fault = kind === 'values' || kind === 'readable' ? undefined : faultOf(sink, true).fault;
    const burst = fault === undefined ? sink.burst : 1;
    return {
      stages: stagesOf(stages, isOrdered).stages,
      sink: { ...sink, kind, fault, burst, name: counted(SINK_NAMES[kind], names) },
    };
  });
  const isPulled = sinks.every(({ sink }) => sink.kind === 'values' || sink.kind === 'readable');
  const ending: Ending =
    made.ending.kind === 'cancel' && !isPulled
      ? { kind: 'well', at: undefined }
      : // What is never read is no run, and nobody is told of its end.
        { ...made.ending, at: isPulled && made.ending.at === 0 ? 1 : made.ending.at };
  return { ...made, pipe, sinks, ending };
}

const SINK_NAMES = {
  function: 'forEach',
  sink: 'sink',
  writable: 'writable',
  values: 'iteration',
  readable: 'readable',
};

/** What cannot be named is called by its kind, and counted where there are several. */
function counted(name: string, names: Map<string, number>): string {
  const times = (names.get(name) ?? 0) + 1;
  names.set(name, times);
  return times === 1 ? name : `${name} ${times}`;
}
