import type { Reporter, TestModule } from 'vitest/node';

interface Laws {
  readonly family: string;
  readonly seed: number;
  readonly cases: number;
  readonly checked: readonly number[];
  readonly failure: string | undefined;
}

/** Prints the table family × law of the tests of the laws: in how many cases each was checked, and what failed. */
export default class LawsTable implements Reporter {
  #began = 0;

  onTestRunStart(): void {
    this.#began = performance.now();
  }

  onTestCaseResult(test: ReturnType<TestModule['children']['allTests']> extends Iterable<infer T> ? T : never): void {
    const { laws } = test.meta() as { laws?: Laws };
    if (laws === undefined) return;
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(0);
    console.error(
      `${laws.family}: ${laws.cases} cases, ${laws.failure === undefined ? 'passed' : 'FAILED'}, after ${seconds} s`,
    );
  }

  onTestRunEnd(modules: readonly TestModule[], errors: ReadonlyArray<{ readonly message?: string }>): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const rows = tests.flatMap((test) => (test.meta() as { laws?: Laws }).laws ?? []);
    // With a family or a path the tests of all else are left out.
    const others = tests.filter(
      (test) => (test.meta() as { laws?: Laws }).laws === undefined && test.result().state !== 'skipped',
    );
    const [{ seed = 0 } = {}] = rows;
    console.log(`seed ${seed}; in how many cases each law was checked:\n`);
    const laws = rows[0]?.checked ?? [];
    console.log(line('topologies', ['cases', ...laws.map((_, at) => `law ${at + 1}`), 'failed']));
    for (const { family, cases, checked, failure } of rows) {
      console.log(line(family, [cases, ...checked, failure === undefined ? 0 : 1]));
    }
    const cases = rows.reduce((sum, row) => sum + row.cases, 0);
    const failed = rows.filter(({ failure }) => failure !== undefined);
    const sums = laws.map((_, at) => rows.reduce((sum, { checked }) => sum + (checked[at] ?? 0), 0));
    console.log(line('all', [cases, ...sums, failed.length]));
    for (const { family, failure } of failed) console.log(`\n${family}: ${failure}`);
    for (const test of others) console.log(`${test.result().state === 'passed' ? 'passed' : 'FAILED'}  ${test.name}`);
    for (const test of others)
      for (const { message } of test.result().errors ?? []) console.log(`\n${test.name}\n${message}`);
    for (const { message } of [...errors, ...modules.flatMap((module) => module.errors())]) console.log(`\n${message}`);
    const minutes = (performance.now() - this.#began) / 60_000;
    console.log(
      `\n${cases} cases, ${failed.length} of ${rows.length} families failed, in ${minutes.toFixed(1)} minutes`,
    );
  }
}

function line(name: string, cells: ReadonlyArray<string | number>): string {
  return `${name.padEnd(14)}${cells.map((cell) => String(cell).padStart(9)).join('')}`;
}
