import { PipelineError } from '@millrace/core';
import { checkCount, checkFunction, checkMs, checkOptions } from '@millrace/core/authoring';
import { watchRejections } from './rejections.js';
import { type Schedule, Scheduler } from './schedule.js';
import { Patience, quiet } from './turn.js';

/**
 * Says in which order of events a program failed, and how to have that order again.
 *
 * @example What to print
 * ```ts
 * const error = await explore(() => assert.fail('no'), { seed: 7 }).catch((reason) => reason);
 * assert.ok(error instanceof InterleavingError);
 * assert.deepEqual([error.seed, error.steps], [7, []]);
 * ```
 */
export class InterleavingError extends PipelineError {
  /** Gives the same order again. */
  readonly seed: number;
  /** What happened, in order. */
  readonly steps: readonly string[];

  /** @internal */
  constructor(message: string, seed: number, steps: readonly string[], cause: unknown) {
    super('ERR_TESTKIT_INTERLEAVING', message, { cause });
    this.name = 'InterleavingError';
    this.seed = seed;
    this.steps = steps;
  }
}

/** How long, and from where, {@link explore} looks. */
export interface ExploreOptions {
  /** How many runs, each with an order of its own. Default: 100. */
  readonly runs?: number;
  /** The seed of the first run; each further run has the next one. Default: drawn, and named in the failure. */
  readonly seed?: number;
  /** The most that may happen in one run. Default: 10,000. */
  readonly maxSteps?: number;
  /** How long, in real milliseconds, a program may wait for what the schedule does not know of. Default: 1,000. */
  readonly timeoutMs?: number;
}

/** What {@link explore} has seen where nothing failed. */
export interface Exploration {
  readonly runs: number;
  /** The seed of the first run. */
  readonly seed: number;
  /** How many different orders there were. */
  readonly interleavings: number;
}

/** Answers in flight, and runs that gave the thread away, come to rest in far fewer. */
const TURNS = 4;

/**
 * Runs a program again and again, and lets what it waits for happen in another order each time.
 *
 * All that takes time in the program must be the schedule's: `any()`, `delays()`, `sometime()` and `clock`. A run fails
 * when the program throws or rejects, leaves a rejection unhandled, or waits for something that never happens.
 *
 * @param program - Is given the {@link Schedule}; what it throws, an assertion that fails for example, is the failure.
 * @param options - `runs`, `seed`, `maxSteps`, `timeoutMs`; see {@link ExploreOptions}.
 * @returns What was seen where no run failed.
 * @throws InterleavingError `ERR_TESTKIT_INTERLEAVING` for the first run that fails: the message has its seed and what
 *   happened in it, step by step; `explore(program, { seed, runs: 1 })` does the same again. `cause` is the failure.
 *
 * @example The results keep their order in whatever order the answers come
 * ```ts
 * import { mapAsync } from '@millrace/core';
 * const seen = await explore(async (schedule) => {
 *   const double = faultyFunction((n: number) => n * 2, schedule.delays('double'));
 *   const doubled = faultySource([1, 2, 3], schedule.delays('read')).pipeThrough(mapAsync(double, { concurrency: 2 }));
 *   assert.deepEqual(await doubled.toArray({ clock: schedule.clock }), [2, 4, 6]);
 * }, { runs: 20, seed: 1 });
 * assert.ok(seen.interleavings > 5);
 * ```
 *
 * @example A race is found, and found again by its seed
 * ```ts
 * const racy = async ({ any }: Schedule): Promise<void> => {
 *   let total = 0;
 *   const add = async (n: number): Promise<void> => {
 *     const before = total;
 *     await any(`add ${n}`);
 *     total = before + n;
 *   };
 *   await Promise.all([add(1), any('pause').then(() => add(2))]);
 *   assert.equal(total, 3);
 * };
 * const found = await explore(racy, { seed: 1 }).catch((error) => error);
 * const again = await explore(racy, { seed: found.seed, runs: 1 }).catch((error) => error);
 * assert.deepEqual(again.steps, found.steps);
 * ```
 * @see https://doi.org/10.1145/1736020.1736040 for why random orders with uneven speeds find races in few runs
 */
export async function explore(
  program: (schedule: Schedule) => unknown,
  options: ExploreOptions = {},
): Promise<Exploration> {
  checkFunction('explore()', 'program', program);
  checkOptions('explore()', options, ['runs', 'seed', 'maxSteps', 'timeoutMs']);
  const limits = { maxSteps: options.maxSteps ?? 10_000, timeoutMs: options.timeoutMs ?? 1000 };
  const { runs = 100, seed: first = Math.floor(Math.random() * 0x8000_0000) } = options;
  checkCount('explore()', 'runs', runs, 1);
  checkCount('explore()', 'seed', first, 0);
  checkCount('explore()', 'maxSteps', limits.maxSteps, 1);
  checkMs('explore()', 'timeoutMs', limits.timeoutMs, 0);
  const orders = new Set<string>();
  for (let run = 0; run < runs; run++) {
    const seed = first + run;
    const end = await once(program, seed, limits);
    if (end.failure !== undefined) throw failed(end, await once(program, seed, limits), run, runs);
    orders.add(end.steps.join('\n'));
  }
  return { runs, seed: first, interleavings: orders.size };
}

interface End {
  readonly seed: number;
  readonly steps: readonly string[];
  readonly failure: { readonly error: unknown } | undefined;
}

async function once(
  program: (schedule: Schedule) => unknown,
  seed: number,
  limits: { readonly maxSteps: number; readonly timeoutMs: number },
): Promise<End> {
  const schedule = new Scheduler(seed);
  const { steps } = schedule;
  const rejections = watchRejections();
  let end: End | undefined;
  const ends = (failure?: End['failure']): void => {
    end ??= { seed, steps, failure };
  };
  const fails = (error: unknown): void => ends({ error });
  Promise.resolve(schedule)
    .then(program)
    .then(() => ends(), fails);
  try {
    const patience = new Patience(limits.timeoutMs);
    for (;;) {
      await quiet(TURNS);
      if (rejections.reasons.length > 0) return { seed, steps, failure: { error: rejections.reasons[0] } };
      if (end !== undefined) return end;
      if (steps.length >= limits.maxSteps) fails(new Error(`it has not ended after ${steps.length} steps`));
      else if (schedule.step()) patience.renew();
      else if (patience.isOver()) fails(new Error('it hangs: nothing is under way, and it has not ended'));
    }
  } finally {
    rejections.stop();
  }
}

function failed(end: End, again: End, run: number, runs: number): InterleavingError {
  const { seed, steps, failure } = end;
  const lines = [
    `Cannot accept the program: run ${run + 1} of ${runs}, with seed ${seed}, fails (must pass in every order)`,
    shown(failure?.error),
    `what happened: ${steps.length === 0 ? 'nothing' : steps.join(', ')}`,
    difference(end, again) ?? `again: explore(program, { seed: ${seed}, runs: 1 })`,
  ];
  return new InterleavingError(lines.join('\n'), seed, steps, failure?.error);
}

/** What another run with the same seed did otherwise: then something beside the schedule decides. */
function difference(end: End, again: End): string | undefined {
  const at = end.steps.findIndex((step, index) => step !== again.steps[index]);
  const isLonger = at < 0 && again.steps.length > end.steps.length;
  if (at < 0 && !isLonger && shown(end.failure?.error) === shown(again.failure?.error)) return undefined;
  const step = isLonger ? end.steps.length : at;
  const what =
    step < 0
      ? 'the same happened, and it ended otherwise'
      : `step ${step + 1} was "${again.steps[step] ?? 'the end'}", not "${end.steps[step] ?? 'the end'}"`;
  return `a second run with the same seed was another: ${what}; something beside the schedule decides in the program`;
}

function shown(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
