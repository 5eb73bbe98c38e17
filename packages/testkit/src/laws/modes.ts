import { from, type Pipeline, type RunOptions } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { firstOf, type Law, showError } from '../law.js';
import { areSame, show } from '../same.js';
import type { Trial } from '../trial.js';

/** A stage does the same however and however often it is run. */
export const MODES: readonly Law[] = [
  {
    name: 'a stage serves any number of runs',
    async check(trial) {
      const stage = trial.stage();
      const expected = await trial.expected();
      const first = await trial.run(from(trial.input()), stage);
      const both = await Promise.all([0, 1].map(() => trial.run(from(trial.input()), stage)));
      return firstOf(
        ...[first, ...both].map(({ items, hasFailed, error }) =>
          firstOf(
            hasFailed && `it failed: ${showError(error)}`,
            !areSame(items, expected, trial.isOrdered) && `it gave ${show(items)}, not ${show(expected)}`,
          ),
        ),
      );
    },
  },
  { name: 'not fused it does the same', check: (trial) => same(trial, { fuse: false }) },
  { name: 'without generated code it does the same', check: (trial) => same(trial, { generate: false }) },
  {
    name: 'the size of bursts changes nothing, nor whether they come later',
    async check(trial) {
      const expected = await trial.expected();
      for (const size of [1, 3, 100]) {
        for (const isLater of [false, true]) {
          const { items, hasFailed, error } = await trial.run(inBursts(trial.input(), size, isLater), trial.stage());
          const wrong = firstOf(
            hasFailed && `it failed: ${showError(error)}`,
            !areSame(items, expected, trial.isOrdered) && `it gave ${show(items)}, not ${show(expected)}`,
          );
          if (wrong !== undefined) return `in bursts of ${size}${isLater ? ' that come later' : ''} ${wrong}`;
        }
      }
      return undefined;
    },
  },
];

function inBursts(items: readonly unknown[], size: number, isLater: boolean): Pipeline<unknown> {
  return source<unknown>({
    name: 'bursts',
    open() {
      let next = 0;
      return {
        read(max) {
          const burst = items.slice(next, next + Math.min(max, size));
          next += burst.length;
          const answer = burst.length > 0 ? burst : undefined;
          return isLater ? Promise.resolve(answer) : answer;
        },
        close: () => {},
      };
    },
  });
}

async function same(trial: Trial, options: RunOptions): Promise<string | undefined> {
  const cause = new Error('of the user');
  const fused = await trial.run(from(trial.input()), trial.stage());
  const other = await trial.run(from(trial.input()), trial.stage(), options);
  const fusedFailure = await trial.run(from(trial.input()), trial.breaking(cause));
  const otherFailure = await trial.run(from(trial.input()), trial.breaking(cause), options);
  const place = ({ error }: typeof fused): string => {
    const { stage, index } = (error ?? {}) as { stage?: string; index?: number };
    return `${stage} ${index}`;
  };
  return firstOf(
    !areSame(fused.items, other.items, trial.isOrdered) && `it gave ${show(other.items)}, not ${show(fused.items)}`,
    place(fusedFailure) !== place(otherFailure) && `it failed at ${place(otherFailure)}, not ${place(fusedFailure)}`,
    trial.isOrdered &&
      !areSame(fusedFailure.items, otherFailure.items, true) &&
      `before its failure it gave ${show(otherFailure.items)}, not ${show(fusedFailure.items)}`,
  );
}
