/** Where a one-to-many step is in what its function gave for one item. */
export class Cursor {
  list: readonly unknown[] | undefined = undefined;
  at: number = 0;
  iterator: Iterator<unknown> | undefined = undefined;
  isOpen: boolean = false;
  /** The level at which the loop goes on when the cursor is done: a flush opens cursors above others that are not open. */
  below: number = 0;

  open(many: readonly unknown[] | Iterator<unknown>, below: number): void {
    this.at = 0;
    this.isOpen = true;
    this.below = below;
    if (Array.isArray(many)) this.list = many;
    else this.iterator = many as Iterator<unknown>;
  }

  /** Lets go of what is open; gives what the iterator's clean-up threw. */
  close(): { thrown: unknown } | undefined {
    const iterator = this.iterator;
    this.list = undefined;
    this.iterator = undefined;
    this.isOpen = false;
    try {
      iterator?.return?.();
      return undefined;
    } catch (thrown) {
      return { thrown };
    }
  }
}
