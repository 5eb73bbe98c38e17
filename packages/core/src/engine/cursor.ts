/** Where a one-to-many step is in what its function gave for one item. */
export class Cursor {
  list: readonly unknown[] | undefined = undefined;
  at: number = 0;
  iterator: Iterator<unknown> | undefined = undefined;

  open(many: readonly unknown[] | Iterator<unknown>): void {
    this.at = 0;
    if (Array.isArray(many)) this.list = many;
    else this.iterator = many as Iterator<unknown>;
  }

  /** Lets go of what is open; gives what the iterator's clean-up threw. */
  close(): { thrown: unknown } | undefined {
    const iterator = this.iterator;
    this.list = undefined;
    this.iterator = undefined;
    try {
      iterator?.return?.();
      return undefined;
    } catch (thrown) {
      return { thrown };
    }
  }
}
