import type { Case } from './model.js';
import { UsageError } from './usage-error.js';

/** Gives the cases that `suite` and `suite/case` selectors name, in their own order; all where there is no selector. */
export function select(cases: readonly Case[], selectors: readonly string[]): readonly Case[] {
  for (const selector of selectors) {
    if (cases.some((each) => matches(each, selector))) continue;
    const [suite] = selector.split('/') as [string];
    const ofSuite = cases.filter((each) => each.suite === suite);
    if (ofSuite.length === 0) {
      const suites = [...new Set(cases.map((each) => each.suite))];
      throw new UsageError(`Cannot run suite '${suite}': it is unknown (must be one of ${suites.join(', ')})`);
    }
    const names = [...new Set(ofSuite.map(({ name }) => `${suite}/${name}`))];
    throw new UsageError(`Cannot run case '${selector}': it is unknown (must be one of ${names.join(', ')})`);
  }
  return selectors.length === 0 ? cases : cases.filter((each) => selectors.some((selector) => matches(each, selector)));
}

function matches({ suite, name }: Case, selector: string): boolean {
  return selector === suite || selector === `${suite}/${name}`;
}
