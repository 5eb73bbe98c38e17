type Step = () => Promise<string | undefined | void>;

/** Steps that follow one another, under one title. */
export interface Chain {
  /**
   * Runs a step and prints its line. When it fails, the steps after it are skipped.
   *
   * @param run - Returns what the line says besides the name, or throws: then the step has failed.
   */
  step(name: string, run: Step): Promise<void>;
  /** The same for a step on which the others do not depend: they go on when it fails. */
  check(name: string, run: Step): Promise<void>;
  /** Prints that a step is not run, and why. */
  skip(name: string, why: string): void;
  /** Whether a step that is `required` failed. */
  readonly isBroken: boolean;
}

/** A line for each step, and the count of them. */
export interface Report {
  /** Begins the steps of `title`; they are all skipped if those of `after` broke. */
  chain(title: string, after?: Chain): Chain;
  readonly failed: number;
  /** `N passed, N failed, N skipped`. */
  closingLine(): string;
}

/** Makes a report that prints to standard output. An abort of `signal` is thrown by the step in which it falls. */
export function createReport(signal: AbortSignal, print: (line: string) => void = console.log): Report {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const chain = (title: string, after?: Chain): Chain => {
    let isBroken = after?.isBroken ?? false;
    const skip = (name: string, why: string): void => {
      counts.skipped += 1;
      print(`skip  ${title} ${name}: ${why}`);
    };
    const attempt = async (name: string, run: Step, isRequired: boolean): Promise<void> => {
      if (isBroken) return skip(name, 'a step before it failed');
      const start = performance.now();
      try {
        const detail = await run();
        counts.passed += 1;
        const seconds = ((performance.now() - start) / 1_000).toFixed(1);
        print(`ok    ${title} ${name}${detail === undefined ? '' : `: ${detail}`} (${seconds} s)`);
      } catch (error) {
        signal.throwIfAborted();
        counts.failed += 1;
        isBroken = isRequired;
        print(`FAIL  ${title} ${name}\n${messageOf(error).trimEnd()}`);
      }
    };
    return {
      step: (name, run) => attempt(name, run, true),
      check: (name, run) => attempt(name, run, false),
      skip,
      get isBroken() {
        return isBroken;
      },
    };
  };
  return {
    chain,
    get failed() {
      return counts.failed;
    },
    closingLine: () => `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  };
}

/** What a step throws when a program failed: the message is what the program printed. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

function messageOf(error: unknown): string {
  if (error instanceof StepError) return error.message;
  return String(error instanceof Error ? error.stack : error);
}
