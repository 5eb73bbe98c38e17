/** One thing that must be so on every runtime. */
export interface Check {
  readonly name: string;
  /** Throws if it is not so. */
  run(): void | Promise<void>;
}

/** What a runtime answers. */
export interface SmokeReport {
  /** The runtime and its version. */
  readonly runtime: string;
  readonly results: readonly CheckResult[];
}

/** What became of one check. */
export interface CheckResult {
  readonly name: string;
  /** Absent when all is well. */
  readonly problem?: string;
}

/** Throws unless both are the same when written as JSON. Checks import nothing of Node, so that they run anywhere. */
export function same(actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`Cannot accept the result: it is ${found} (must be ${wanted})`);
}

/** Waits for a promise to reject; gives its reason. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  const value = await promise.then(
    (fulfilled) => ({ fulfilled }),
    (reason: unknown) => ({ reason }),
  );
  if ('reason' in value) return value.reason;
  throw new Error(`Cannot accept the result: it is ${JSON.stringify(value.fulfilled)} (must be a rejection)`);
}
