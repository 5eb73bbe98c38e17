import type { Reporter, TestModule } from 'vitest/node';

interface Conformance {
  readonly stage?: string;
  readonly laws?: ReadonlyArray<{ readonly name: string; readonly passed: boolean; readonly why?: string | undefined }>;
}

/** Prints the table stage × law of the conformance tests, with the laws as numbered columns. */
export default class ConformTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const rows = tests.map((test) => ({
      name: test.fullName,
      state: test.result().state,
      meta: test.meta() as Conformance,
    }));
    const laws = rows.find(({ meta }) => meta.laws !== undefined)?.meta.laws ?? [];
    const width = Math.max(5, ...rows.map(({ name, meta }) => (meta.stage ?? name).length));
    laws.forEach(({ name }, at) => void console.log(`${String(at + 1).padStart(3)}  ${name}`));
    console.log(`\n${'stage'.padEnd(width)} ${laws.map((_, at) => String(at + 1).padStart(3)).join('')}`);
    for (const { name, state, meta } of rows) {
      const cells = meta.laws?.map(({ passed, why }) => (passed ? (why === undefined ? '✓' : '·') : '✗').padStart(3));
      console.log(`${(meta.stage ?? name).padEnd(width)} ${cells?.join('') ?? state}`);
    }
    const broken = rows.filter(({ state }) => state !== 'passed').length;
    console.log(`\n✓ keeps the law   · the law does not apply   ✗ breaks it`);
    console.log(`${rows.length - broken} of ${rows.length} stages conform`);
    for (const { test, message } of failures(tests)) console.error(`\n${test}\n${message}`);
  }
}

function failures(
  tests: ReadonlyArray<ReturnType<TestModule['children']['allTests']> extends Iterable<infer T> ? T : never>,
): Array<{
  readonly test: string;
  readonly message: string;
}> {
  return tests.flatMap((test) => (test.result().errors ?? []).map(({ message }) => ({ test: test.fullName, message })));
}
