import { STATUS } from './codegen.js';
import type { MachineState } from './machine.js';

/** What all copied classes share: one step or sink of a group that runs without generated text. */
export class CopiedNode {
  /** The state of the run at hand. */
  m!: MachineState;
  /** The place in the group. */
  readonly at: number;
  /** The level of the cursor that the step opens, from 1; 0 where it opens none. */
  readonly level: number;
  readonly next: CopiedNode | undefined;
  readonly p0: unknown;
  /** How many items entered; how many the step's tally counted; what it keeps. */
  n: number = 0;
  x: number = 0;
  s: unknown = undefined;
  max: number = 0;

  constructor(at: number, level: number, params: readonly unknown[], next: CopiedNode | undefined) {
    this.at = at;
    this.level = level;
    this.next = next;
    this.p0 = params[0];
  }

  /** Takes one item. */
  push(_item: unknown): void {}

  /** Takes the items from `at` up to `end` while the run can go on; gives where it stopped. Each copy has its own. */
  drive(items: ArrayLike<unknown>, at: number, end: number): number {
    let next = at;
    while (next < end && this.m.status === STATUS.slice) this.push(items[next++]);
    return next;
  }

  /** Hands on what is held. */
  flush(): void {}

  fail(error: unknown): void {
    this.m.error = error;
    this.m.failed = this.at;
    this.m.status = STATUS.failed;
  }
}

/** The end of a group that hands bursts on. */
export class CopiedEmit extends CopiedNode {
  override push(item: unknown): void {
    this.n++;
    this.m.out.push(item);
    if (this.m.level > 0 && this.m.out.length >= this.max) this.m.status = STATUS.full;
  }
}
