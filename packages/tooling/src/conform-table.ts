import type { Reporter, TestModule } from 'vitest/node';

interface Conformance {
  readonly stage?: string;
  /** A law, and a stage that breaks it on purpose. */
  readonly law?: string;
  readonly refused?: string;
  readonly laws?: ReadonlyArray<{ readonly name: string; readonly passed: boolean; readonly why?: string | undefined }>;
}

/** Prints the table stage × law of the conformance tests, with the laws as numbered columns, and what is refused. */
export default class ConformTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const all = tests.map((test) => ({
      name: test.fullName,
      state: test.result().state,
      meta: test.meta() as Conformance,
    }));
    const rows = all.filter(({ meta }) => meta.laws !== undefined);
    const refused = all.filter(({ meta }) => meta.refused !== undefined);
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
    console.log('\nOne stage for each law that breaks it on purpose:\n');
    laws.forEach(({ name }, at) => {
      const { meta, state } = refused.find(({ meta }) => meta.law === name) ?? {};
      const what =
        meta === undefined ? 'none' : `${state === 'passed' ? 'refused' : 'ACCEPTED'}: one that ${meta.refused}`;
      console.log(`${String(at + 1).padStart(3)}  ${what}`);
    });
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
