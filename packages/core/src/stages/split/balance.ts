import type { Chain, SourceSpec } from '../../engine/spec.js';
import { balanceKind } from '../../engine/split-rules.js';
import { checkCount, checkOptions } from '../../internal/arguments.js';
import { branchesOf } from './branches.js';

/** How items are shared out among branches that work alike. */
export interface BalanceOptions {
  /** What the stage is called in errors, plans and figures; branch 1 is `'balance branch 1'`. Default: `'balance'`. */
  readonly name?: string;
  /** How many items may wait before a branch that is busy. Default: 0, an item goes to a branch that asks for it. */
  readonly highWaterMark?: number;
}

/** The sources of the branches of a chain. */
export function balanceOf(chain: Chain, branches: number, options: BalanceOptions): readonly SourceSpec[] {
  checkCount('balance()', 'branches', branches, 1);
  checkOptions('balance()', options, ['name', 'highWaterMark']);
  const { name = 'balance', highWaterMark = 0 } = options;
  return branchesOf(chain, branches, { name, highWaterMark }, balanceKind(branches));
}
