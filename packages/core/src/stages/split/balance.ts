import type { Chain, SourceSpec } from '../../engine/spec.js';
import { balanceKind } from '../../engine/split-rules.js';
import { checkCount, checkOptions } from '../../internal/arguments.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { branchesOf } from './branches.js';

/**
 * How items are shared out among branches that work alike.
 *
 * @typeParam T - The items.
 */
export interface BalanceOptions<T = never> extends EdgeOptions<T> {
  /** What the stage is called in errors, plans and figures; branch 1 is `'balance branch 1'`. Default: `'balance'`. */
  readonly name?: string;
  /**
   * How many items may wait before a branch that is busy; with a `size`, how much they may weigh. Default: 0, an item goes
   * to a branch that asks for it.
   */
  readonly highWaterMark?: number | QueuingStrategy<T>;
}

/** The sources of the branches of a chain. */
export function balanceOf(chain: Chain, branches: number, options: BalanceOptions): readonly SourceSpec[] {
  checkCount('balance()', 'branches', branches, 1);
  checkOptions('balance()', options, ['name', 'highWaterMark', 'size']);
  const { name = 'balance' } = options;
  const mark = edgeMark('balance()', options) ?? { highWaterMark: 0 };
  return branchesOf(chain, branches, { name, ...mark }, balanceKind(branches));
}
