import type { Chain, SourceSpec } from '../../engine/spec.js';
import { checkCount, checkOptions } from '../../internal/arguments.js';
import type { Pipeline } from '../../pipeline.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { branchesOf } from './branches.js';

/**
 * How items go to several branches.
 *
 * @typeParam T - The items.
 */
export interface BroadcastOptions<T = never> extends EdgeOptions<T> {
  /** What the stage is called in errors, plans and figures; branch 1 is `'broadcast branch 1'`. Default: `'broadcast'`. */
  readonly name?: string;
  /**
   * How many items may wait before each branch; more where branches take them in bursts. With a `size`, how much they may
   * weigh. Default: 1 item.
   */
  readonly highWaterMark?: number | QueuingStrategy<T>;
}

/** As many pipelines as `broadcast()` was asked for. */
export type Branches<T, N extends number, Made extends readonly Pipeline<T>[] = []> = number extends N
  ? readonly Pipeline<T>[]
  : Made['length'] extends N
    ? Made
    : Branches<T, N, [...Made, Pipeline<T>]>;

/** The sources of the branches of a chain. */
export function broadcastOf(chain: Chain, branches: number, options: BroadcastOptions): readonly SourceSpec[] {
  checkCount('broadcast()', 'branches', branches, 1);
  checkOptions('broadcast()', options, ['name', 'highWaterMark', 'size']);
  const { name = 'broadcast' } = options;
  const mark = edgeMark('broadcast()', options) ?? { highWaterMark: 1 };
  return branchesOf(chain, branches, { name, ...mark });
}
