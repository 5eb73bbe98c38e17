import type { Chain, SourceSpec } from '../../engine/spec.js';
import { partitionKind } from '../../engine/split-rules.js';
import { checkFunction, checkOptions } from '../../internal/arguments.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { branchesOf } from './branches.js';

/** How items are parted in two. */
export interface PartitionOptions {
  /** What the stage is called in errors, plans and figures; its branches are `'partition yes'` and `'… no'`. Default: `'partition'`. */
  readonly name?: string;
  /** How many items may wait before each branch; more where branches take them in bursts. Default: 1. */
  readonly highWaterMark?: number;
}

/** The sources of the branches of a chain: of the items for which the predicate is true, and of the others. */
export function partitionOf<T>(
  chain: Chain,
  predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
  options: PartitionOptions,
): readonly [SourceSpec, SourceSpec] {
  checkFunction('partition()', 'predicate', predicate);
  checkOptions('partition()', options, ['name', 'highWaterMark']);
  const { name = 'partition', highWaterMark = 1 } = options;
  const kind = partitionKind(predicate as (item: unknown, index: number) => unknown);
  return branchesOf(chain, 2, { name, highWaterMark }, kind) as [SourceSpec, SourceSpec];
}
