import fc from 'fast-check';
import type { Case, Ending, Fault, JoinBy, PipeCase, SinkCase, SourceCase, SplitBy, StageCase, When } from './case.js';

// Random topologies. Small ones first: most faults of an engine show at its edges.

const when: fc.Arbitrary<When> = fc.constantFrom('now', 'micro', 'some');
const small = fc.integer({ min: 1, max: 5 });
const mark = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined, freq: 2 });
const items = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 70 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1200 }) },
);

/** One in so many stages fails. */
const RARE = 12;

const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 9 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) },
  ),
  how: fc.constantFrom<Fault['how']>('throws', 'throws', 'rejects', 'rejects', 'hangs'),
});
const anyFault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: RARE, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fault },
);

const step: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constantFrom(
    ...(['map', 'map', 'map', 'tap', 'filter', 'filterMap', 'scan', 'dedupe'] as const),
    ...(['unique', 'dropWhile', 'totals'] as const),
  ),
  mark,
  fault: anyFault,
});
const cut: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constantFrom('take', 'drop'),
  items: fc.integer({ min: 0, max: 15 }),
  mark,
});
const cutByValue: fc.Arbitrary<StageCase> = fc.record({ kind: fc.constant('takeWhile'), mark, fault: anyFault });
const unfold: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constant('flatMap'),
  most: fc.integer({ min: 0, max: 4 }),
  isIterator: fc.boolean(),
  mark,
  fault: anyFault,
  inside: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined, freq: 1 }),
});
const batched: fc.Arbitrary<StageCase> = fc.record({ kind: fc.constant('batch'), maxItems: small, mark });
const regrouped: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constant('regroup'),
  maxItems: fc.option(small, { nil: undefined, freq: 4 }),
  maxBytes: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined, freq: 1 }),
  maxWaitMs: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined, freq: 3 }),
  between: fc.constantFrom('nothing', 'buffer', 'mapAsync'),
  mark,
});
const asynchronous: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constant('mapAsync'),
  concurrency: small,
  ordered: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  when,
  mark,
  fault: anyFault,
});
const buffered: fc.Arbitrary<StageCase> = fc.record({ kind: fc.constant('buffer'), items: small });
const native: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constant('foreign'),
  isPair: fc.boolean(),
  when,
  fault: anyFault,
});

const ms = fc.integer({ min: 1, max: 45 });
const windowed: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constant('window'),
  shape: fc.constantFrom('tumbling', 'tumbling', 'sliding', 'session', 'arrival'),
  ms,
  isLate: fc.boolean(),
  fault: anyFault,
});
/** Stages that go by the clock, or by how quick their consumer is. */
const timed: fc.Arbitrary<StageCase> = fc.oneof(
  windowed,
  fc.record({ kind: fc.constantFrom('debounce', 'throttle', 'sample'), ms, isTrailing: fc.boolean() }),
  fc.record({ kind: fc.constant('delay'), ms, maxItems: fc.option(small, { nil: undefined }) }),
  fc.record({ kind: fc.constant('rateLimit'), ms, burst: small, mark }),
  fc.record({ kind: fc.constant('busy'), how: fc.constantFrom('conflate', 'batchWhileBusy'), maxItems: small }),
  fc.record({
    kind: fc.constant('overflow'),
    items: small,
    overflow: fc.constantFrom('drop-oldest', 'drop-newest', 'fail'),
  }),
);

/** Stages of any kind, but native streams and those that go by the clock. */
const plainStage: fc.Arbitrary<StageCase> = fc.oneof(
  { weight: 4, arbitrary: step },
  { weight: 1, arbitrary: fc.oneof(cut, cut, cutByValue) },
  { weight: 2, arbitrary: unfold },
  { weight: 2, arbitrary: batched },
  { weight: 1, arbitrary: regrouped },
  { weight: 3, arbitrary: asynchronous },
  { weight: 1, arbitrary: buffered },
);

/** Sub-pipelines by key. */
const keyed: fc.Arbitrary<StageCase> = fc.record({
  kind: fc.constant('partitionBy'),
  keys: fc.integer({ min: 1, max: 4 }),
  maxKeys: fc.integer({ min: 1, max: 4 }),
  mark: small,
  stages: fc.array(fc.oneof({ weight: 5, arbitrary: plainStage }, timed, native), { maxLength: 3 }),
  split: fc.constantFrom('none', 'none', 'broadcast', 'partition'),
  isTagged: fc.boolean(),
  fault: anyFault,
});

const plainSource: fc.Arbitrary<SourceCase> = fc.record({
  kind: fc.constantFrom('array', 'range', 'iterator', 'reader', 'reader', 'reader', 'async', 'stream'),
  items,
  when,
  fault: anyFault,
});

const sink: fc.Arbitrary<SinkCase> = fc.record({
  kind: fc.constantFrom('function', 'function', 'sink', 'sink', 'writable', 'values', 'readable'),
  when,
  mark,
  burst: fc.integer({ min: 1, max: 4 }),
  fault: anyFault,
});

const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Ending>({ kind: 'well', at: undefined }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom<Ending['kind']>('abort', 'signal', 'drain', 'cancel'),
      at: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined, freq: 2 }),
    }),
  },
);
const well = fc.constant<Ending>({ kind: 'well', at: undefined });

interface Parts {
  readonly pipe: fc.Arbitrary<PipeCase>;
  readonly stage?: fc.Arbitrary<StageCase>;
  readonly sinks?: { readonly minLength: number; readonly maxLength: number };
  readonly sink?: fc.Arbitrary<SinkCase>;
  readonly split?: fc.Arbitrary<SplitBy>;
  readonly ending?: fc.Arbitrary<Ending>;
}

function caseOf({
  pipe,
  stage = plainStage,
  sinks = { minLength: 1, maxLength: 1 },
  ...parts
}: Parts): fc.Arbitrary<Case> {
  const alone = fc.record({
    stages: sinks.maxLength === 1 ? fc.constant([]) : fc.array(stage, { maxLength: 2 }),
    sink: parts.sink ?? sink,
  });
  return fc.record({
    pipe,
    sinks: fc.array(alone, sinks),
    branchMark: fc.integer({ min: 0, max: 3 }),
    split: parts.split ?? fc.constant<SplitBy>('broadcast'),
    ending: parts.ending ?? ending,
    fuse: fc.boolean(),
    generate: fc.boolean(),
    context: fc.boolean(),
    isObserved: fc.boolean(),
    order: fc.nat(1_000_000),
  });
}

function pipeOf(
  source: fc.Arbitrary<SourceCase>,
  stage: fc.Arbitrary<StageCase>,
  maxLength: number,
): fc.Arbitrary<PipeCase> {
  return fc.record({ source, stages: fc.array(stage, { maxLength }) });
}

/** A chain of stages. */
export const linear: fc.Arbitrary<Case> = caseOf({ pipe: pipeOf(plainSource, plainStage, 7) });

/** A chain whose items end as they please: results, errors, indexes and clean-up are the same in each way to run it. */
export const inAllWays: fc.Arbitrary<Case> = caseOf({
  pipe: pipeOf(plainSource, fc.oneof({ weight: 9, arbitrary: plainStage }, windowed), 9),
  ending: well,
});

const nativeStage = fc.oneof({ weight: 3, arbitrary: plainStage }, { weight: 2, arbitrary: native });

/** A chain with native transform streams in it. */
export const foreign: fc.Arbitrary<Case> = caseOf({ pipe: pipeOf(plainSource, nativeStage, 6) });

const joining = (by: fc.Arbitrary<JoinBy>): fc.Arbitrary<Case> =>
  caseOf({
    pipe: pipeOf(
      fc.record({
        kind: fc.constant('merge'),
        by,
        inputs: fc.array(pipeOf(plainSource, plainStage, 3), { minLength: 1, maxLength: 4 }),
        mark: small,
        isTagged: fc.boolean(),
      }),
      plainStage,
      3,
    ),
  });

const rules = fc.constantFrom<JoinBy>('concat', 'zip', 'interleave', 'mergeSorted');
const choices = fc.constantFrom<SplitBy>('partition', 'route', 'balance');
const anyJoin = fc.oneof({ weight: 2, arbitrary: fc.constant<JoinBy>('merge') }, { weight: 2, arbitrary: rules });
const anySplit = fc.oneof(
  { weight: 2, arbitrary: fc.constant<SplitBy>('broadcast') },
  { weight: 2, arbitrary: choices },
);

/** Sources of unequal speed, merged. */
export const merges: fc.Arbitrary<Case> = joining(fc.constant('merge'));

/** Sources of unequal speed, joined by a rule. */
export const joins: fc.Arbitrary<Case> = joining(rules);

const parting = (split: fc.Arbitrary<SplitBy>, by: fc.Arbitrary<JoinBy>): fc.Arbitrary<SourceCase> =>
  fc.record({
    kind: fc.constant('diamond'),
    by,
    split,
    drops: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    fault: anyFault,
    before: pipeOf(plainSource, plainStage, 2),
    branches: fc.array(fc.array(plainStage, { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    branchMark: fc.integer({ min: 0, max: 4 }),
    mark: small,
    isTagged: fc.boolean(),
  });

/** One source for several branches that meet again. */
export const diamonds: fc.Arbitrary<Case> = caseOf({
  pipe: pipeOf(parting(fc.constant('broadcast'), anyJoin), plainStage, 3),
});

/** One source whose items are dealt out to branches, by a rule or by key, that meet again. */
export const splits: fc.Arbitrary<Case> = caseOf({
  pipe: fc.oneof(
    pipeOf(parting(choices, fc.constant('merge')), plainStage, 2),
    pipeOf(plainSource, fc.oneof(plainStage, { weight: 2, arbitrary: keyed }), 4),
  ),
});

/** A chain of stages with those among them that go by the clock. */
export const clocked: fc.Arbitrary<Case> = caseOf({
  pipe: pipeOf(plainSource, fc.oneof(plainStage, { weight: 2, arbitrary: timed }), 5),
});

/** Several sinks in one run. */
export const sinks: fc.Arbitrary<Case> = caseOf({
  pipe: pipeOf(plainSource, plainStage, 3),
  sinks: { minLength: 2, maxLength: 3 },
  split: anySplit,
});

const { nestedPipe } = fc.letrec<{ nestedPipe: PipeCase; nestedSource: SourceCase; nestedStage: StageCase }>((tie) => ({
  nestedStage: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'stage' },
    nativeStage,
    timed,
    keyed,
    fc.record({
      kind: fc.constant('compose' as const),
      stages: fc.array(tie('nestedStage'), { minLength: 1, maxLength: 3, depthIdentifier: 'stage' }),
    }),
  ),
  nestedPipe: fc.record({
    source: tie('nestedSource'),
    stages: fc.array(tie('nestedStage'), { maxLength: 2 }),
  }),
  nestedSource: fc.oneof(
    { maxDepth: 3, depthSize: 'small', depthIdentifier: 'pipe' },
    plainSource,
    fc.record({
      kind: fc.constant('merge' as const),
      by: anyJoin,
      inputs: fc.array(tie('nestedPipe'), { minLength: 1, maxLength: 3, depthIdentifier: 'pipe' }),
      mark: small,
      isTagged: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('diamond' as const),
      by: anyJoin,
      split: anySplit,
      drops: fc.boolean(),
      fault: anyFault,
      before: tie('nestedPipe'),
      branches: fc.array(fc.array(tie('nestedStage'), { maxLength: 2 }), { minLength: 1, maxLength: 3 }),
      branchMark: fc.integer({ min: 0, max: 4 }),
      mark: small,
      isTagged: fc.boolean(),
    }),
  ),
}));

/** Merges, diamonds and composed stages in one another, into one sink or several. */
export const nested: fc.Arbitrary<Case> = caseOf({
  pipe: nestedPipe,
  stage: nativeStage,
  sinks: { minLength: 1, maxLength: 3 },
  split: anySplit,
});

/** A chain of stages that hold exactly what the bound says while the sink stalls. */
export const stalled: fc.Arbitrary<{ readonly made: Case; readonly taken: number }> = fc.record({
  made: caseOf({
    pipe: pipeOf(
      fc.record({
        kind: fc.constant('reader' as const),
        items: fc.constant(1000),
        when: fc.constantFrom<When>('now', 'micro'),
      }),
      fc.oneof(
        fc.record({ kind: fc.constantFrom('map' as const, 'tap' as const), mark }),
        fc.record({
          kind: fc.constant('mapAsync' as const),
          concurrency: small,
          ordered: fc.boolean(),
          when: fc.constantFrom<When>('now', 'micro'),
          mark,
        }),
        buffered,
      ),
      6,
    ),
    sink: sink.map((each): SinkCase => ({ ...each, when: 'now', fault: undefined })),
    ending: well,
  }),
  taken: fc.integer({ min: 0, max: 6 }),
});
