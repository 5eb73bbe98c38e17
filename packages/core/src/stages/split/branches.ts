import type { BroadcastSpec, Chain, SourceSpec } from '../../engine/spec.js';
import type { SplitKind } from '../../engine/split.js';

/** The sources of the branches of a chain: each item goes to all, or as `split` says to one. */
export function branchesOf(
  { source, specs }: Chain,
  branches: number,
  { name, highWaterMark }: { readonly name: string; readonly highWaterMark: number },
  split?: SplitKind,
): readonly SourceSpec[] {
  const broadcast: BroadcastSpec = {
    name,
    branches,
    highWaterMark,
    source,
    specs,
    ...(split !== undefined && { split }),
  };
  return Array.from({ length: branches }, (_, index) => ({ type: 'branch', broadcast, index }) as const);
}
