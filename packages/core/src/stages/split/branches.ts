import type { Chain, SourceSpec } from '../../engine/spec.js';
import type { SplitKind } from '../../engine/split.js';
import { branchSources } from '../../engine/split-source.js';
import type { EdgeMark } from '../edge-options.js';

/** The sources of the branches of a chain: each item goes to all, or as `split` says to one. */
export function branchesOf(
  chain: Chain,
  branches: number,
  mark: { readonly name: string; readonly highWaterMark: number; readonly size?: EdgeMark['size'] },
  split?: SplitKind,
): readonly SourceSpec[] {
  return branchSources({ ...chain, ...mark, branches, split });
}
