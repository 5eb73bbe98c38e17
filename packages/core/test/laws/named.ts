import type { Case, Ending, Fault, JoinBy, PipeCase, SinkCase, SourceCase, StageCase } from './case.js';

type Kind = StageCase['kind'];

/** Whether stages of this kind give the same whatever the order of their items. */
const MINDFUL = new Set<Kind>(['scan', 'dedupe', 'unique', 'drop', 'takeWhile', 'dropWhile', 'totals']);

/** Those behind which some items are missing, and which is a matter of chance. */
const THINNING = new Set<Kind>(['debounce', 'throttle', 'sample']);

/** Those that make other items, which do not tell the key of those before. */
const UNTAGGING = new Set<Kind>(['scan', 'totals', 'compose', 'foreign', 'partitionBy']);

/** One in, one out, in order, and none waits for another: branches of these can meet item by item. */
const ONE_TO_ONE = new Set<Kind>(['map', 'tap', 'scan', 'buffer', 'mapAsync', 'delay', 'rateLimit']);

const SLOW = /"(some|debounce|throttle|sample|delay|rateLimit|arrival|busy)"/;

/** Whether items come in a sequence that is sure, as far as they come. */
interface InOrder {
  readonly isOrdered: boolean;
}

/** Names everything, and leaves out or replaces what would make the result a matter of chance. */
export function named(made: Case): Case {
  return new Names(made).all();
}

class Names {
  readonly #made: Case;
  readonly #names = new Map<string, number>();
  readonly #isSlow: boolean;
  readonly #canHang: boolean;

  constructor(made: Case) {
    this.#made = made;
    this.#isSlow = SLOW.test(JSON.stringify(made));
    const { kind, at } = made.ending;
    this.#canHang = (kind === 'abort' || kind === 'signal') && at === undefined;
  }

  all(): Case {
    const made = this.#made;
    const { pipe, isOrdered } = this.#pipe(made.pipe);
    const split = made.split === 'partition' && made.sinks.length !== 2 ? 'route' : made.split;
    const isDealt = made.sinks.length > 1 && split === 'balance';
    const sinks = made.sinks.map(({ stages, sink }) => ({
      stages: this.#stages(stages, isOrdered && !isDealt).stages,
      sink: this.#sink(sink),
    }));
    const isPulled = sinks.every(({ sink }) => sink.kind === 'values' || sink.kind === 'readable');
    const ending: Ending =
      made.ending.kind === 'cancel' && !isPulled
        ? { kind: 'well', at: undefined }
        : // What is never read is no run, and nobody is told of its end.
          { ...made.ending, at: isPulled && made.ending.at === 0 ? 1 : made.ending.at };
    return { ...made, split, pipe, sinks, ending };
  }

  #name(kind: string): string {
    const at = this.#names.get(kind) ?? 0;
    this.#names.set(kind, at + 1);
    return `${kind}-${at}`;
  }

  /** What cannot be named is called by its kind, and counted where there are several. */
  #counted(name: string): string {
    const times = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, times);
    return times === 1 ? name : `${name} ${times}`;
  }

  #fault(fault: Fault | undefined, canWait: boolean): Fault | undefined {
    if (fault === undefined) return undefined;
    return { ...fault, how: !canWait || (fault.how === 'hangs' && !this.#canHang) ? 'throws' : fault.how };
  }

  #pipe(pipe: PipeCase): InOrder & { readonly pipe: PipeCase } {
    const { source, isOrdered } = this.#source(pipe.source);
    const behind = this.#stages(pipe.stages, isOrdered);
    return { pipe: { source, stages: behind.stages }, isOrdered: behind.isOrdered };
  }

  #stages(stages: readonly StageCase[], isOrdered: boolean): InOrder & { readonly stages: StageCase[] } {
    let inOrder = isOrdered;
    const all: StageCase[] = [];
    for (const stage of stages) {
      if (!inOrder && MINDFUL.has(stage.kind)) continue;
      const made = this.#stage(stage, inOrder);
      if (made === undefined) continue;
      all.push(made.stage);
      inOrder = made.isOrdered;
    }
    return { stages: all, isOrdered: inOrder };
  }

  #stage(stage: StageCase, isOrdered: boolean): (InOrder & { readonly stage: StageCase }) | undefined {
    if (!isOrdered && stage.kind === 'batch')
      return { stage: { ...stage, kind: 'regroup', between: 'nothing', name: this.#name('regroup') }, isOrdered };
    if (stage.kind === 'compose') {
      const inner = this.#stages(stage.stages, isOrdered);
      if (inner.stages.length === 0) return undefined;
      return {
        stage: { ...stage, stages: inner.stages, name: this.#name('compose') },
        isOrdered: inner.isOrdered,
      };
    }
    const name = this.#name(stage.kind);
    if (stage.kind === 'partitionBy') {
      const fault = this.#fault(stage.fault, false);
      return { stage: { ...stage, name, fault, stages: this.#inside(stage, isOrdered) }, isOrdered: false };
    }
    if (stage.kind === 'window') {
      const isFlat = !isOrdered || stage.shape === 'arrival';
      const shape = isFlat && stage.shape === 'sliding' ? 'tumbling' : stage.shape;
      const isLate = stage.isLate && !isFlat && shape !== 'session';
      // By arrival there is no function that gives the time.
      const fault = shape === 'arrival' ? undefined : this.#fault(stage.fault, false);
      return { stage: { ...stage, name, shape, isFlat, isLate, fault }, isOrdered };
    }
    const canWait = stage.kind === 'mapAsync' || stage.kind === 'foreign';
    const made = 'fault' in stage ? { ...stage, fault: this.#fault(stage.fault, canWait) } : stage;
    const isUnordered = stage.kind === 'mapAsync' && !stage.ordered && stage.concurrency > 1;
    const drops = THINNING.has(stage.kind) || (stage.kind === 'overflow' && stage.overflow !== 'fail');
    return { stage: { ...made, name } as StageCase, isOrdered: isOrdered && !isUnordered && !drops };
  }

  /** The stages for each key; where the order of items is a matter of chance, none that keep some only. */
  #inside({ stages, isTagged }: StageCase & { readonly kind: 'partitionBy' }, isOrdered: boolean): StageCase[] {
    const kept = stages.filter(({ kind }) => !(isTagged && UNTAGGING.has(kind)) && (isOrdered || kind !== 'take'));
    // A pair of streams would serve one key.
    const made = kept.map((each) => (each.kind === 'foreign' ? { ...each, isPair: false } : each));
    return this.#stages(made, isOrdered).stages;
  }

  #source(source: SourceCase): InOrder & { readonly source: SourceCase } {
    if (source.kind === 'merge') {
      const inputs = source.inputs.map((input) => this.#pipe(input));
      const joined = this.#joined(source, inputs);
      return {
        source: { ...joined.source, inputs: inputs.map(({ pipe }) => pipe), name: this.#name(source.by) },
        isOrdered: joined.isOrdered,
      };
    }
    if (source.kind === 'diamond') return this.#diamond(source);
    const canWait = source.kind === 'reader' || source.kind === 'async' || source.kind === 'stream';
    const isLoop = source.kind === 'array' || source.kind === 'range';
    const items = this.#isSlow ? source.items % 40 : source.items;
    const fault = isLoop ? undefined : this.#fault(source.fault, canWait);
    const called = source.kind === 'range' ? this.#counted('range') : this.#name(source.kind);
    return { source: { ...source, items, fault, name: called }, isOrdered: true };
  }

  #joined<S extends { readonly by: JoinBy; readonly isTagged: boolean }>(
    source: S,
    inputs: readonly InOrder[],
  ): InOrder & { readonly source: S } {
    const inOrder = inputs.every(({ isOrdered }) => isOrdered);
    const isFlat = source.by === 'zip' && !inOrder;
    const isTagged = source.isTagged && source.by === 'merge';
    return { source: { ...source, isFlat, isTagged }, isOrdered: inOrder && source.by !== 'merge' };
  }

  #diamond(source: SourceCase & { readonly kind: 'diamond' }): InOrder & { readonly source: SourceCase } {
    const before = this.#pipe(source.before);
    const { split } = source;
    const by: JoinBy =
      split === 'broadcast' && (source.by === 'zip' || source.by === 'interleave') ? source.by : 'merge';
    const [first = [], second = []] = source.branches;
    const branches = (split === 'partition' ? [first, second] : source.branches).map((branch) => {
      if (by !== 'merge') return this.#stages(branch.filter(isOneToOne), before.isOrdered);
      if (split !== 'balance') return this.#stages(branch, before.isOrdered);
      // Which items come by which of them is a matter of chance: all do the same.
      const same = first.filter(({ kind }) => kind !== 'take' && kind !== 'compose' && kind !== 'foreign');
      return this.#stages(same, false);
    });
    const hasChoice = split === 'partition' || split === 'route';
    const joined = this.#joined({ ...source, by }, branches);
    const made: SourceCase = {
      ...joined.source,
      before: before.pipe,
      branches: branches.map(({ stages }) => stages),
      fault: hasChoice ? this.#fault(source.fault, false) : undefined,
      name: this.#name('diamond'),
    };
    return { source: made, isOrdered: joined.isOrdered };
  }

  #sink(sink: SinkCase): SinkCase {
    const { sinks, ending } = this.#made;
    const isPulled = sink.kind === 'values' || sink.kind === 'readable';
    const kind = isPulled && (sinks.length > 1 || ['abort', 'drain'].includes(ending.kind)) ? 'function' : sink.kind;
    const fault = kind === 'values' || kind === 'readable' ? undefined : this.#fault(sink.fault, true);
    const burst = fault === undefined ? sink.burst : 1;
    return { ...sink, kind, fault, burst, name: this.#counted(SINK_NAMES[kind]) };
  }
}

function isOneToOne(stage: StageCase): boolean {
  return ONE_TO_ONE.has(stage.kind) && (stage.kind !== 'mapAsync' || stage.ordered);
}

const SINK_NAMES = {
  function: 'forEach',
  sink: 'sink',
  writable: 'writable',
  values: 'iteration',
  readable: 'readable',
};
