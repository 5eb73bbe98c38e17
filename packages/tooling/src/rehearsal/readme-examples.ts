import { type DocExample, examplesOfMarkdown } from '../doc-examples.js';

/** A module made of an example; its lines have the numbers that they have in the page. */
export interface ExampleModule {
  readonly code: string;
  /** False if it is type-checked only. */
  readonly runs: boolean;
}

/**
 * Takes the first `ts` example of a README and, if that is not to be run, the first that is. Both have all their
 * imports, but for `assert`.
 */
export function readmeExamples(readme: string): ExampleModule[] {
  const examples = examplesOfMarkdown(readme);
  const first = examples[0];
  const runnable = examples.find(({ runs }) => runs);
  return [...new Set([first, runnable])].filter((example) => example !== undefined).map(moduleOf);
}

function moduleOf({ code, line, runs }: DocExample): ExampleModule {
  const isAssertMissing = /\bassert\b/.test(code) && !/^import\b.*\bassert\b/m.test(code);
  const head = isAssertMissing ? "import assert from 'node:assert/strict';" : '';
  return { code: `${head}${'\n'.repeat(line - 1)}${code}\nexport {};\n`, runs };
}
