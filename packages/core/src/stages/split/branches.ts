import type { BroadcastSpec, Chain, SourceSpec } from '../../engine/spec.js';
import type { SplitKind } from '../../engine/split.js';
import type { EdgeMark } from '../edge-options.js';

/** The sources of the branches of a chain: each item goes to all, or as `split` says to one. */
export function branchesOf(
  { source, specs }: Chain,
  branches: number,
  {
    name,
    highWaterMark,
    size,
  }: { readonly name: string; readonly highWaterMark: number; readonly size?: EdgeMark['size'] },
  split?: SplitKind,
): readonly SourceSpec[] {
  const broadcast: BroadcastSpec = {
    name,
    branches,
    highWaterMark,
    size,
    source,
    specs,
    ...(split !== undefined && { split }),
  };
  return Array.from({ length: branches }, (_, index) => ({ type: 'branch', broadcast, index }) as const);
}
