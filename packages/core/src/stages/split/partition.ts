import type { ErrorPolicy } from '../../engine/rejects.js';
import type { Chain, SourceSpec } from '../../engine/spec.js';
import { partitionKind } from '../../engine/split-rules.js';
import { checkFunction, checkOptions } from '../../internal/arguments.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { checkPolicy } from '../fault/fallback.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { branchesOf } from './branches.js';

/**
 * How items are parted in two.
 *
 * @typeParam T - The items.
 */
export interface PartitionOptions<T = never> extends EdgeOptions<T> {
  /** What the stage is called in errors, plans and figures; its branches are `'partition yes'` and `'… no'`. Default: `'partition'`. */
  readonly name?: string;
  /**
   * How many items may wait before each branch; more where branches take them in bursts. With a `size`, how much they may
   * weigh. Default: 1 item.
   */
  readonly highWaterMark?: number | QueuingStrategy<T>;
  /**
   * What becomes of an item on which the predicate fails: `'fail'` fails the run, `'skip'` leaves it out,
   * `deadLetter(writable)` writes it to a stream, which the stage waits for, and `fallback(fn)` gives another answer.
   * Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<T, boolean>;
}

/** The sources of the branches of a chain: of the items for which the predicate is true, and of the others. */
export function partitionOf<T>(
  chain: Chain,
  predicate: (item: T, index: number) => boolean | UseMapAsyncForPromises,
  options: PartitionOptions,
): readonly [SourceSpec, SourceSpec] {
  checkFunction('partition()', 'predicate', predicate);
  checkOptions('partition()', options, ['name', 'highWaterMark', 'size', 'onError']);
  const { name = 'partition', onError } = options;
  const mark = edgeMark('partition()', options) ?? { highWaterMark: 1 };
  if (onError !== undefined) checkPolicy('partition()', onError);
  const kind = partitionKind(predicate as (item: unknown, index: number) => unknown, onError);
  return branchesOf(chain, 2, { name, ...mark }, kind) as [SourceSpec, SourceSpec];
}
