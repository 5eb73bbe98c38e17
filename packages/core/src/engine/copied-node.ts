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
  readonly p1: unknown;
  readonly p2: unknown;
  /** How many items entered the region behind the step, what the step's tally counted, and what it keeps. */
  n: number = 0;
  x: number = 0;
  s: unknown = undefined;
  /** What it keeps while that is a number: a field that never holds anything else is not boxed anew for each item. */
  d: number = 0.5;
  hasNumber: boolean = false;
  /** How many items were asked for. */
  max: number = 0;

  constructor(at: number, level: number, params: readonly unknown[], next: CopiedNode | undefined) {
    this.at = at;
    this.level = level;
    this.next = next;
    this.p0 = params[0];
    this.p1 = params[1];
    this.p2 = params[2];
  }

  /** Takes one item, with its index in the region; throws what the user's function throws. */
  push(_item: unknown, _index: number): void {}

  /** Hands on what is held. */
  flush(): void {}

  fail(error: unknown): void {
    this.m.failed = this.at;
    haltWith(this.m, error);
  }
}

/** A copy of the class of a kind. */
export type CopiedClass = new (
  at: number,
  level: number,
  params: readonly unknown[],
  next: CopiedNode | undefined,
) => CopiedNode;

/** Gives a node the items from `at` up to `end`, while the run can go on; says where it stopped. */
export type Drive = (first: CopiedNode, items: ArrayLike<unknown>, at: number, end: number, index: number) => number;

/** Stops the loop with what the step threw that is noted in `failed`. */
export function haltWith(m: MachineState, error: unknown): void {
  m.error = error;
  m.status = STATUS.failed;
  m.isHalted = true;
}

/** The end of a group that hands bursts on. */
export class CopiedEmit extends CopiedNode {
  override push(item: unknown): void {
    const { m } = this;
    m.out.push(item);
    if (m.level === 0 || m.out.length < this.max) return;
    m.status = STATUS.full;
    m.isHalted = true;
  }
}
