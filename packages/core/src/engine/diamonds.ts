import type { BroadcastSpec } from './spec.js';

/** The way that items took since they were handed to a branch of a broadcast. */
export interface Path {
  readonly broadcast: BroadcastSpec;
  /** The name of the branch's stage. */
  readonly branch: string;
  /** What one item weighed where the branch begins. */
  readonly base: number;
  /** How many items the way takes in before it gives one. */
  readonly gathers: number;
  /** How many items of the branch it can hold, while it gives none. */
  readonly holds: number;
}

export function branchPath(broadcast: BroadcastSpec, branch: string, most: number, highWaterMark: number): Path {
  return { broadcast, branch, base: most, gathers: 1, holds: highWaterMark };
}

/** The way behind a room for `items` source items. */
export function withRoom(path: Path, items: number): Path {
  return { ...path, holds: path.holds + items / path.base };
}

/** The way behind a step that makes one item of `times`. */
export function withBatch(path: Path, times: number): Path {
  if (!Number.isFinite(times) || times === 1) return path;
  const gathers = path.gathers * times;
  // What is missing to the last item of the batch can be inside it.
  return { ...path, gathers, holds: path.holds + gathers - path.gathers };
}

/**
 * Says which branches of one broadcast that meet in a merge are out of step by more than they can hold.
 *
 * The first item that comes by branch A has taken `gathers` items into A, and so as many into each other branch, which
 * must hold them where what is behind the merge waits for A. The merge itself never waits for one input.
 *
 * @param inputs - The ways by which the items of each input came.
 */
export function diamondWarnings(
  merge: string,
  highWaterMark: number,
  inputs: ReadonlyArray<readonly Path[]>,
): string[] {
  const warnings = new Map<string, string>();
  inputs.forEach((slow, at) => {
    for (const a of slow) {
      const others = inputs.flatMap((paths, other) => (other === at ? [] : paths));
      for (const b of others) {
        if (a.broadcast !== b.broadcast || a.branch === b.branch) continue;
        const holds = b.holds + highWaterMark * b.gathers;
        if (a.gathers <= holds) continue;
        warnings.set(
          `${a.branch} ${b.branch}`,
          `"${a.branch}" takes in ${a.gathers} items before "${merge}" gets one of it, and "${b.branch}" holds ${holds}: ` +
            `they run out of step, and what waits behind "${merge}" for both stops for ever ` +
            `(must hold ${a.gathers}: put buffer(${a.gathers - holds}) into that branch)`,
        );
      }
    }
  });
  return [...warnings.values()];
}
