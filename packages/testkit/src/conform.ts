import { PipelineError, type Stage } from '@millrace/core';
import { outOfRange } from '@millrace/core/authoring';
import type { Law } from './law.js';
import { ENDINGS } from './laws/endings.js';
import { FAILURES } from './laws/failures.js';
import { LEAVING } from './laws/leaving.js';
import { LEFT_OVER } from './laws/left-over.js';
import { MODES } from './laws/modes.js';
import { PAIRS } from './laws/pairs.js';
import { PROTOCOL } from './laws/protocol.js';
import { ROOM } from './laws/room.js';
import { watchRejections } from './rejections.js';
import { Trial } from './trial.js';

/** Marks a function of the user, so that the suite can let it throw. */
export type UserFunction = <F extends (...args: never[]) => unknown>(fn: F) => F;

/**
 * Makes the stage under test, anew for each law. The function the stage calls for each item goes through `user`.
 *
 * @typeParam I - What goes in.
 * @typeParam O - What comes out.
 */
export type StageFactory<I, O> = (user: UserFunction) => Stage<I, O>;

/** What the suite has to know of a stage. */
export interface ConformOptions<I> {
  /** Makes the item number `index`. Default: the index itself. */
  readonly input?: (index: number) => I;
  /** How many items go in, 6 or more. Default: 12. */
  readonly items?: number;
  /** Whether the order of the results is part of the contract. Default: `true`. */
  readonly ordered?: boolean;
  /** The most items that are read to give the first result. Default: the bound of the plan. */
  readonly reads?: number;
  /** How long a law waits, in real milliseconds, for something to happen. Default: 2,000. */
  readonly timeoutMs?: number;
  /**
   * Whether the virtual time stands still: for a stage that waits for another process and limits the time of that by the
   * clock. Default: `false`: time goes by whenever the stage waits for nothing but timers.
   */
  readonly timeStandsStill?: boolean;
  /** The names of the laws to try: to look into those that are broken. Default: all. */
  readonly only?: readonly string[];
}

/** What became of one law. */
export interface LawResult {
  readonly name: string;
  readonly passed: boolean;
  /** Why the law is broken, or why it does not apply to the stage. */
  readonly why: string | undefined;
}

/** What became of all laws. */
export interface ConformReport {
  readonly passed: boolean;
  readonly laws: readonly LawResult[];
}

const LAWS: readonly Law[] = [
  ...ENDINGS,
  ...FAILURES,
  ...LEAVING,
  ...ROOM,
  ...PROTOCOL,
  ...MODES,
  ...PAIRS,
  ...LEFT_OVER,
];

/**
 * Tries every law on a stage and reports what became of each.
 *
 * All runs have a virtual clock: a stage that waits needs no real time.
 *
 * @typeParam I - What goes into the stage.
 * @typeParam O - What comes out of it.
 * @param factory - Makes the stage.
 * @param options - The input, and what the contract of the stage says; see {@link ConformOptions}.
 * @returns The report; a law that means nothing for the stage has passed, and says so in `why`.
 *
 * @example Which laws does a stage break?
 * ```ts
 * import { map } from '@millrace/core';
 * const report = await conform((user) => map(user((n: number) => n * 2)));
 * assert.deepEqual(report.laws.filter((law) => !law.passed), []);
 * ```
 */
export async function conform<I, O>(
  factory: StageFactory<I, O>,
  options: ConformOptions<I> = {},
): Promise<ConformReport> {
  const { only = LAWS.map(({ name }) => name) } = options;
  const unknown = only.find((each) => !LAWS.some(({ name }) => name === each));
  if (unknown !== undefined) throw outOfRange('conform()', 'only', unknown, 'the names of laws');
  const rejections = watchRejections();
  try {
    const trial = new Trial(
      factory as StageFactory<never, unknown> as StageFactory<unknown, unknown>,
      options,
      rejections,
    );
    const laws: LawResult[] = [];
    for (const law of LAWS) if (only.includes(law.name)) laws.push(await tried(law, trial));
    return { passed: laws.every(({ passed }) => passed), laws };
  } finally {
    rejections.stop();
  }
}

/**
 * Fails unless a stage keeps every law: one line in a test of any runner.
 *
 * @typeParam I - What goes into the stage.
 * @typeParam O - What comes out of it.
 * @param factory - Makes the stage; see {@link StageFactory}.
 * @param options - See {@link ConformOptions}.
 * @returns The report, for those who want to print it.
 * @throws PipelineError `ERR_TESTKIT_NOT_CONFORMING`, naming every law that is broken and why.
 *
 * @example In a test
 * ```ts
 * import { filter } from '@millrace/core';
 * await assertConforms((user) => filter(user((n: number) => n % 2 === 0)));
 * ```
 */
export async function assertConforms<I, O>(
  factory: StageFactory<I, O>,
  options: ConformOptions<I> = {},
): Promise<ConformReport> {
  const report = await conform(factory, options);
  if (report.passed) return report;
  const broken = report.laws.filter(({ passed }) => !passed).map(({ name, why }) => `\n- ${name}: ${why}`);
  throw new PipelineError(
    'ERR_TESTKIT_NOT_CONFORMING',
    `Cannot accept the stage: it breaks ${broken.length} of ${report.laws.length} laws${broken.join('')}`,
  );
}

async function tried(law: Law, trial: Trial): Promise<LawResult> {
  trial.law = law.name;
  try {
    const verdict = await law.check(trial);
    if (typeof verdict !== 'object') return result(law.name, verdict);
    return { name: law.name, passed: true, why: `does not apply: ${verdict.doesNotApply}` };
  } catch (error) {
    return result(law.name, error instanceof Error ? error.message : String(error));
  }
}

function result(name: string, why: string | undefined): LawResult {
  return { name, passed: why === undefined, why };
}
