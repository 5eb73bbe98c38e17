import { UsageError } from './usage-error.js';

interface Named {
  readonly suite: string;
  readonly name: string;
}

/** Gives the cases that `suite` and `suite/case` selectors name, in their own order; all where there is no selector. */
export function select<C extends Named>(cases: readonly C[], selectors: readonly string[]): readonly C[] {
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

function matches({ suite, name }: Named, selector: string): boolean {
  return selector === suite || selector === `${suite}/${name}`;
}
