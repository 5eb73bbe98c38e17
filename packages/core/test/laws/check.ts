import { PipelineError, type RunOptions, type RunSummary, StageError } from '@millrace/core';
import { explore, InterleavingError } from '@millrace/testkit';
import type { Case, SourceCase, StageCase, Value } from './case.js';
import { driven, type Ended, REASON } from './drive.js';
import { LawBroken, type Ledger } from './ledger.js';
import { type Expected, type Model, modelOf, shown } from './model.js';
import { tagOf } from './values.js';
import { World } from './world.js';

/** Runs a case once, in the order of events that it names, and checks the laws. */
export async function checkCase(made: Case, ledger: Ledger, options: RunOptions = {}): Promise<Outcome> {
  let outcome: Outcome | undefined;
  try {
    await explore(
      async (schedule) => {
        const world = new World(schedule, hangs(made));
        const ended = await driven(made, world, options);
        // What was on its way settles.
        await schedule.any('rest');
        checkAll(made, world, ended, ledger);
        outcome = { world, ended };
      },
      { runs: 1, seed: made.order, maxSteps: 200_000 },
    );
  } catch (error) {
    throw error instanceof InterleavingError ? told(error) : error;
  }
  return outcome as unknown as Outcome;
}

/** What a run of a case saw, and how it ended. */
export interface Outcome {
  readonly world: World;
  readonly ended: Ended;
}

/** What is no broken promise of another law, such as a rejection that nobody handles or a run that hangs, is one of law 5. */
function told({ cause, steps }: InterleavingError): LawBroken {
  const happened = `; what happened: ${steps.slice(-30).join(', ')}`;
  if (cause instanceof LawBroken)
    return new LawBroken(cause.law, cause.message.replace(/^law \d \([^)]*\): /, '') + happened);
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new LawBroken(5, why + happened);
}

function checkAll(made: Case, world: World, ended: Ended, ledger: Ledger): void {
  const model = modelOf(made, limitsOf(made, ended));
  checkBound(made, world, ended, ledger);
  checkLazy(made, world, ended, ledger);
  checkEnd(made, model, ended, world, ledger);
  model.sinks.forEach((expected, at) => void checkSeen(made, expected, world.seen[at] ?? [], ended, ledger));
  checkJoined(model, world, ledger);
  checkBalance(made, model, world, ended, ledger);
  checkReceipt(ended, ledger);
  checkLeft(made, world, ended, ledger);
}

/** A run that drains has read as many items as its sources counted. */
function limitsOf(made: Case, { wasEnded, summary }: Ended): ReadonlyMap<string, number> | undefined {
  if (made.ending.kind !== 'drain' || !wasEnded) return undefined;
  return new Map(summary.stages.map(({ name, made: read }) => [name, read]));
}

function checkBound(made: Case, world: World, { summary, bound, run }: Ended, ledger: Ledger): void {
  const most = summary.inFlightMax;
  ledger.check(1, most <= bound, () => `${most} items were inside, and the bound is ${bound}`);
  ledger.check(
    1,
    summary.inFlightBound === bound,
    () => `the summary has ${summary.inFlightBound} for the bound ${bound}`,
  );
  if (run !== undefined)
    ledger.check(1, run.inFlight === 0, () => `${run.inFlight} items are inside a run that is over`);
  if (!isCountable(made)) return;
  ledger.check(
    1,
    world.insideMost <= bound,
    () => `sources were ${world.insideMost} items ahead of the sinks, and the bound is ${bound}`,
  );
  // What a promise brings is on its way for a moment, and not yet counted.
  if (made.pipe.source.kind === 'reader' && made.pipe.source.when !== 'now') return;
  ledger.check(
    1,
    world.insideMost <= Math.max(1, most),
    () => `sources were ${world.insideMost} items ahead, and the run says ${most}`,
  );
}

/** Nothing is read before somebody asks, and then nothing beyond the room there is. */
function checkLazy(made: Case, world: World, { bound, summary }: Ended, ledger: Ledger): void {
  ledger.check(2, world.callsBefore === 0, () => `${world.callsBefore} functions were called before anybody asked`);
  const { kind, at } = made.ending;
  if (kind === 'signal' && at === 0)
    ledger.check(2, world.calls === 0, () => 'a run that was aborted before it began was not left alone');
  const kinds = new Set(['map', 'tap', 'scan', 'take', 'mapAsync', 'buffer']);
  const isOneToOne = made.sinks.length === 1 && stagesOf(made).every((stage) => kinds.has(stage.kind));
  if (made.pipe.source.kind !== 'reader' || !isOneToOne) return;
  const takes = stagesOf(made).map((stage) => (stage.kind === 'take' ? stage.items : Number.POSITIVE_INFINITY));
  const asked = Math.min(world.handed, ...takes);
  const most = Math.min(asked, made.ending.kind === 'well' ? asked : summary.emitted + 1) + bound;
  ledger.check(
    2,
    world.handed <= most,
    () => `${world.handed} items were read for ${summary.emitted} that were taken, and the bound is ${bound}`,
  );
}

/** Whether what is inside can be told from what sources handed on and what functions and sinks ended. */
function isCountable(made: Case): boolean {
  const { source } = made.pipe;
  const isPlain = source.kind === 'reader';
  const kinds = new Set(['map', 'tap', 'filter', 'filterMap', 'mapAsync', 'buffer', 'batch']);
  const isPushed = made.sinks.every(({ sink }) => sink.kind !== 'values' && sink.kind !== 'readable');
  return isPlain && isPushed && made.sinks.length === 1 && stagesOf(made).every(({ kind }) => kinds.has(kind));
}

function checkEnd(made: Case, { sinks }: Model, { error, wasEnded }: Ended, world: World, ledger: Ledger): void {
  const errors = sinks.flatMap((sink) => sink.errors);
  const may = (): string =>
    `${errors.map(({ stage, index }) => `${stage} at ${index ?? 'any'}`).join(', ')}${sinks.every(({ mayEndWell }) => mayEndWell) ? ', well' : ''}`;
  if (wasEnded && error === REASON) {
    ledger.check(5, made.ending.kind !== 'drain', () => 'a run that drained was aborted');
    return;
  }
  if (error === undefined) {
    const isWell = sinks.every(({ mayEndWell }) => mayEndWell);
    const isLeft = made.ending.kind === 'cancel' || (made.ending.kind === 'drain' && wasEnded);
    ledger.check(5, isWell || isLeft, () => `it ended well (may: ${may()})`);
    return;
  }
  // A native stream that fails while it is closed cannot be cancelled any more, and says so.
  if (isClosing(error) && String(error).includes('"stream')) {
    ledger.check(
      5,
      [...world.causes.values()].includes(error.cause as never),
      () => `the cause is ${String(error.cause)}`,
    );
    return;
  }
  ledger.check(5, error instanceof StageError, () => `it ended with ${String(error)} (may: ${may()})`);
  const { stage, index, cause } = error as StageError;
  const known = errors.filter((each) => each.stage === stage && (each.index ?? index) === index);
  ledger.check(5, known.length > 0, () => `it ended with an error of ${stage} at ${index} (may: ${may()})`);
  const isCause = (code: string | undefined): boolean =>
    code === undefined ? cause === world.causes.get(stage) : cause instanceof PipelineError && cause.code === code;
  ledger.check(
    5,
    known.some(({ code }) => isCause(code)),
    () => `the cause is ${String(cause)}`,
  );
}

function isClosing(error: unknown): error is PipelineError {
  return error instanceof PipelineError && error.code === 'ERR_CORE_CLOSE';
}

const key = (value: Value): string => JSON.stringify(value);

/** Whether the first has nothing that the second has not, as often. */
function isWithin(some: readonly Value[], all: readonly Value[]): boolean {
  const left = new Map<string, number>();
  for (const value of all) left.set(key(value), (left.get(key(value)) ?? 0) + 1);
  return some.every((value) => {
    const count = left.get(key(value)) ?? 0;
    left.set(key(value), count - 1);
    return count > 0;
  });
}

function isPrefix(some: readonly Value[], all: readonly Value[]): boolean {
  return some.length <= all.length && some.every((value, at) => key(value) === key(all[at] as Value));
}

/** Whether the first is the second with some left out. */
function isThinned(some: readonly Value[], all: readonly Value[]): boolean {
  let at = 0;
  for (const value of all) if (at < some.length && key(value) === key(some[at] as Value)) at++;
  return at === some.length;
}

function checkSeen(made: Case, expected: Expected, seen: readonly Value[], ended: Ended, ledger: Ledger): void {
  const { items, isOrdered, isInOrder, isExact, isSome, most } = expected;
  const both = (): string => `the sink got ${shown(seen)}, of ${shown(items)}`;
  // A run of more than one sink may be ended by another; with an error, what is on its way is given up.
  const isWhole = ended.error !== REASON && !(made.ending.kind === 'cancel') && made.sinks.length === 1;
  if (isOrdered) ledger.check(3, isPrefix(seen, items), () => `${both()} (must be in order)`);
  else ledger.check(4, isWithin(seen, items), () => `${both()} (must be no others)`);
  if (isInOrder) ledger.check(3, isThinned(seen, items), () => `${both()} (must be in order, if not all)`);
  ledger.check(4, seen.length <= most, () => `${both()} (must be at most ${most})`);
  const isAll =
    (ended.error === undefined && made.ending.kind !== 'cancel' && !isSome) ||
    (isExact && isOrdered && isWhole && readsNothingAhead(made));
  if (isAll) ledger.check(4, seen.length === items.length, () => `${both()} (must be all)`);
}

/** A native stream that reads ahead forgets what is queued when it errors. */
function readsNothingAhead({ sinks }: Case): boolean {
  return sinks.every(({ sink }) => sink.kind !== 'readable' || (sink.mark ?? 0) === 0);
}

function checkJoined({ joined }: Model, world: World, ledger: Ledger): void {
  for (const { name, inputs, tags } of joined) {
    const seen = world.joined.get(name) ?? [];
    inputs.forEach((expected, at) => {
      if (!expected.isOrdered) return;
      const own = seen.filter((value) => tagOf(value) === tags[at]);
      const all = expected.items.filter((value) => tagOf(value) === tags[at]);
      ledger.check(
        3,
        isPrefix(own, all),
        () => `"${name}" got ${shown(own)} of input ${at}, which gives ${shown(all)}`,
      );
    });
  }
}

function checkBalance(
  made: Case,
  { passed, sinks }: Model,
  world: World,
  { summary, error, wasEnded }: Ended,
  ledger: Ledger,
): void {
  ledger.check(4, summary.balanced, () => `it is not balanced: ${stagesText(summary)}`);
  for (const each of summary.stages) {
    const ends = each.absorbed + each.filtered + each.deduped + each.deadLettered + each.dropped + each.abandoned;
    const isRight = each.in + each.made === each.out + ends + each.held && each.held === 0;
    ledger.check(4, isRight, () => `"${each.name}" is not balanced: ${JSON.stringify(each)}`);
    for (const [what, count] of Object.entries(each)) {
      ledger.check(4, what === 'name' || Number(count) >= 0, () => `"${each.name}" counts ${what} ${String(count)}`);
    }
  }
  const isWhole = error === undefined && !wasEnded && made.ending.kind !== 'cancel';
  const total =
    summary.emitted +
    summary.abandoned +
    summary.absorbed +
    summary.filtered +
    summary.deduped +
    summary.dropped +
    summary.deadLettered;
  ledger.check(4, summary.read + summary.made === total, () => `the sums are not balanced: ${JSON.stringify(summary)}`);
  const isPulled = made.sinks.some(({ sink }) => sink.kind === 'values' || sink.kind === 'readable');
  const done = world.seen.reduce((sum, seen) => sum + seen.length, 0);
  // What is read of a native stream, or by an iteration that is left, is emitted before it is taken.
  ledger.check(
    4,
    Math.abs(done - summary.emitted) <= slack(made) && (isPulled || summary.emitted <= done),
    () => `it says ${summary.emitted} were emitted, and the sinks got ${done}`,
  );
  if (!isWhole) return;
  const isCut =
    hasZip(made) ||
    stagesOf(made).some(({ kind }) => kind === 'take' || kind === 'takeWhile') ||
    sinks.some(({ isSome }) => isSome);
  if (!isCut)
    ledger.check(4, summary.abandoned === 0, () => `${summary.abandoned} items were abandoned: ${stagesText(summary)}`);
  if (isCut) return;
  for (const stage of summary.stages) {
    const expected = passed.get(stage.name);
    if (expected === undefined || made.ending.kind === 'drain') continue;
    const counted = { in: stage.in, out: stage.out };
    ledger.check(
      8,
      JSON.stringify(counted) === JSON.stringify(expected),
      () => `"${stage.name}" counts ${JSON.stringify(counted)}, and is given ${JSON.stringify(expected)}`,
    );
  }
}

/** A run that was drained says what was done before and what since, and that sums to what was read and made. */
export function checkReceipt({ summary, error, wasEnded, run, receipt }: Ended, ledger: Ledger): void {
  const given = run?.receipt;
  if (given === undefined) return;
  const resolved = receipt();
  ledger.check(
    4,
    wasEnded && (resolved === undefined) === (error !== undefined),
    () => `drain() of a run that ended with ${String(error)} resolved with ${JSON.stringify(resolved)}`,
  );
  const { completed, flushed, overdue: _, ...rest } = given;
  const text = (): string => JSON.stringify(given);
  ledger.check(4, JSON.stringify(rest) === JSON.stringify(summary), () => `the receipt is not the summary: ${text()}`);
  ledger.check(4, completed >= 0 && flushed >= 0, () => `the receipt counts less than nothing: ${text()}`);
  const sum = completed + flushed + given.abandoned;
  ledger.check(4, sum === given.read + given.made, () => `the receipt does not sum: ${text()}`);
}

/** How many items a sink may be done with that were counted as abandoned: what was being written when the run ended. */
function slack({ sinks }: Case): number {
  return sinks.reduce(
    (sum, { sink }) => sum + Math.max(1, sink.burst, sink.kind === 'readable' ? 1 + (sink.mark ?? 0) : 1),
    0,
  );
}

function stagesText({ stages }: RunSummary): string {
  return stages
    .map((stage) => {
      const counts = Object.entries(stage).filter(([what, count]) => what !== 'name' && count !== 0);
      return `${stage.name} ${counts.map(([what, count]) => `${what} ${String(count)}`).join(' ')}`;
    })
    .join(' | ');
}

function checkLeft(made: Case, world: World, { summary, error, listeners }: Ended, ledger: Ledger): void {
  ledger.check(5, listeners === 0, () => `${listeners} listeners are left on the signal`);
  const { timersSet, isGraceOver } = world;
  if (isGraceOver) return;
  ledger.check(5, timersSet === 0, () => `${timersSet} timers are left`);
  ledger.check(5, summary.leftOpen.length === 0, () => `it left open ${summary.leftOpen.join(', ')}`);
  ledger.check(5, world.wrongIndexes.length === 0, () => world.wrongIndexes.join(', '));
  for (const life of world.lives) {
    const { name, kind, closes, aborts, isOver, problem } = life;
    ledger.check(5, problem === undefined, () => `${kind} "${name}": ${problem}`);
    if (kind === 'sink') checkSink(made, life, error, ledger);
    else if (name.startsWith('reader'))
      ledger.check(5, closes === 1, () => `source "${name}" was closed ${closes} times`);
    else if (kind === 'source' && /^(async|stream)/.test(name)) {
      // One that is asked may end while it is closed.
      const isClosed = closes === 1 || (isOver && closes === 0);
      ledger.check(
        5,
        isClosed,
        () => `source "${name}" was closed ${closes} times, and had ${isOver ? '' : 'not '}ended`,
      );
    } else
      ledger.check(
        5,
        closes === (isOver ? 0 : 1),
        () => `${kind} "${name}" was closed ${closes + aborts} times, and had ${isOver ? '' : 'not '}ended`,
      );
  }
}

function checkSink(
  _made: Case,
  { name, closes, aborts, isOver }: World['lives'][number],
  error: unknown,
  ledger: Ledger,
): void {
  const ends = closes + aborts;
  ledger.check(5, ends <= 1, () => `sink "${name}" was closed ${closes} times and aborted ${aborts} times`);
  if (error === undefined) ledger.check(5, closes === 1, () => `sink "${name}" was not closed`);
  else if (!isOver) ledger.check(5, ends === 1, () => `sink "${name}" was neither closed nor aborted`);
}

/** Whether there is a join that lets go of what has no partner. */
function hasZip(made: Case): boolean {
  return JSON.stringify(made).includes('"by":"zip"');
}

/** All stages of a case, those inside of others too. */
export function stagesOf(made: Case): StageCase[] {
  const inStages = (stages: readonly StageCase[]): StageCase[] =>
    stages.flatMap((stage) => {
      if (stage.kind === 'compose') return inStages(stage.stages);
      return stage.kind === 'partitionBy' ? [stage, ...inStages(stage.stages)] : [stage];
    });
  const inSource = (source: SourceCase): StageCase[] => {
    if (source.kind === 'merge')
      return source.inputs.flatMap((input) => [...inSource(input.source), ...inStages(input.stages)]);
    if (source.kind === 'diamond') {
      return [
        ...inSource(source.before.source),
        ...inStages(source.before.stages),
        ...source.branches.flatMap(inStages),
      ];
    }
    return [];
  };
  return [
    ...inSource(made.pipe.source),
    ...inStages(made.pipe.stages),
    ...made.sinks.flatMap(({ stages }) => inStages(stages)),
  ];
}

function hangs(made: Case): boolean {
  return JSON.stringify(made).includes('"hangs"');
}

/** Whether an error says that a pipeline was refused because too many items could be inside. */
export function isRefused(error: unknown): boolean {
  return error instanceof PipelineError && error.code === 'ERR_CORE_IN_FLIGHT';
}
