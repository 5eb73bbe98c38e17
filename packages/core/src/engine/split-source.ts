import { PipelineError } from '../errors.js';
import { branchPath } from './diamonds.js';
import type { Planner, Shared } from './planner.js';
import type { SizeOf } from './scale.js';
import type { Chain, NodeSpec } from './spec.js';
import { Split, type SplitKind } from './split.js';
import type { Tail } from './tail.js';

/** A pipeline whose items go to several branches; a plan that has two of its branches has it once. */
export interface SplitSpec extends Chain {
  readonly name: string;
  /** How each item goes to one branch; without it, to all. */
  readonly split?: SplitKind | undefined;
  readonly branches: number;
  /** How many items may wait before each branch. */
  readonly highWaterMark: number;
  /** What one of them weighs, where `highWaterMark` is of weight. */
  readonly size?: SizeOf | undefined;
}

/** The sources of the branches. */
export function branchSources(spec: SplitSpec): readonly NodeSpec[] {
  return Array.from({ length: spec.branches }, (_, index) => ({
    type: 'node',
    name: spec.name,
    inputs: [spec],
    isBranch: true,
    plan: (planner) => planner.share(spec, () => new PlannedSplit(planner, spec)).branch(index),
  }));
}

/** What the branches of one split have in common, in one plan. */
class PlannedSplit implements Shared {
  readonly #planner: Planner;
  readonly #spec: SplitSpec;
  readonly #name: string;
  readonly #tail: Tail;
  /** The branches that are part of the plan. */
  readonly #taken = new Set<number>();

  constructor(planner: Planner, spec: SplitSpec) {
    const before = planner.chain(spec, undefined);
    const { split } = spec;
    const type = split === undefined ? 'broadcast' : 'split';
    const stage = planner.stage(spec.name, type, before);
    const { from } = before;
    const at = planner.node({
      type,
      stage,
      from,
      open(nodes, own) {
        const context = nodes.stage(stage);
        nodes.splits[own] = new Split(nodes.before(from), nodes.run, context, split);
        return undefined;
      },
    });
    this.#planner = planner;
    this.#spec = spec;
    this.#name = planner.nameOf(stage);
    this.#tail = { ...before, from: [at], inputs: [stage] };
  }

  branch(index: number): Tail {
    const planner = this.#planner;
    const tail = this.#tail;
    const { highWaterMark, size } = this.#spec;
    if (this.#taken.has(index)) this.#refuseTwice(index);
    this.#taken.add(index);
    const stage = planner.stage(`${this.#name} ${this.#branchName(index)}`, 'branch', tail);
    const isWeighed = size !== undefined;
    if (highWaterMark > 0)
      planner.room(stage, 'edge', highWaterMark * tail.most, isWeighed ? highWaterMark : undefined);
    const at = planner.node({
      type: 'branch',
      stage,
      from: tail.from,
      isQueue: true,
      open(nodes) {
        const split = nodes.splits[tail.from[0] as number] as Split;
        return split.branch(highWaterMark, nodes.stage(stage), size);
      },
    });
    const mark = isWeighed ? Math.min(1, highWaterMark) : highWaterMark;
    const path = branchPath(this.#spec, planner.nameOf(stage), tail.most, mark);
    return { ...tail, from: [at], inputs: [stage], paths: [...tail.paths, path] };
  }

  check(): void {
    const { branches, split } = this.#spec;
    const open = Array.from({ length: branches }, (_, index) => index).filter((index) => !this.#taken.has(index));
    if (open.length === 0) return;
    const numbers = `${open.length > 1 ? 'branches' : 'branch'} ${open.map((index) => index + 1).join(', ')}`;
    const which = split === undefined ? numbers : open.map((index) => this.#branchName(index)).join(', ');
    throw refused(
      `${which} of "${this.#name}" would never be read, and hold up the others (all ${branches} must be in one run: give them to runAll() or merge())`,
    );
  }

  #refuseTwice(index: number): never {
    const instead = this.#spec.split === undefined ? 'broadcast() into one more branch' : 'broadcast() that branch';
    throw refused(`${this.#branchName(index)} of "${this.#name}" is used twice (must be once; ${instead})`);
  }

  #branchName(index: number): string {
    return this.#spec.split?.branches[index] ?? `branch ${index + 1}`;
  }
}

function refused(why: string): PipelineError {
  return new PipelineError('ERR_CORE_BRANCH', `Cannot build the pipeline: ${why}`);
}
