import type { Ran, Trial } from './trial.js';

/** One thing that every stage must do. */
export interface Law {
  readonly name: string;
  /** Gives why the stage breaks the law; nothing where it keeps it; {@link doesNotApply} where it can't be tried. */
  check(trial: Trial): Promise<Verdict>;
}

/** Why a law is broken, why it does not apply, or nothing. */
export type Verdict = string | { readonly doesNotApply: string } | undefined;

/** Says that a law means nothing for this stage. */
export function doesNotApply(why: string): Verdict {
  return { doesNotApply: why };
}

/** Gives the first thing that is wrong. */
export function firstOf(...problems: ReadonlyArray<string | false | undefined>): string | undefined {
  return problems.find((problem): problem is string => typeof problem === 'string');
}

/** What is wrong with the counts of a run that is over. */
export function imbalance({ summary, inFlight }: Omit<Ran, 'items'>): string | undefined {
  return firstOf(
    !summary.balanced && `the counts do not add up: ${counts(summary)}`,
    inFlight !== 0 && `${inFlight} items are still inside after the end: ${counts(summary)}`,
    summary.leftOpen.length > 0 && `left open: ${summary.leftOpen.join(', ')}`,
  );
}

function counts({ stages }: Ran['summary']): string {
  return stages
    .map(({ name, ...each }) => {
      const shown = Object.entries(each).filter(([, items]) => items !== 0);
      return `${name} (${shown.map(([what, items]) => `${what} ${items}`).join(', ')})`;
    })
    .join(' → ');
}

/** Shows what a run failed with. */
export function showError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
