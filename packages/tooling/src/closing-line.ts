import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends a test run with `N passed, N failed, N skipped` alone on a line, in plain text. It must be the last reporter. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const { state } = test.result();
        // A test that never came to an end has not passed.
        counts[state === 'pending' ? 'failed' : state] += 1;
      }
      // A file or a suite that could not even be collected or set up fails without a failed test.
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) counts.failed += 1;
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
