import type { JoinKind } from './join.js';
import type { SplitSpec } from './split-source.js';

/** The way that items took since they were handed to a branch of a broadcast. */
export interface Path {
  readonly broadcast: SplitSpec;
  /** The name of the branch's stage. */
  readonly branch: string;
  /** What one item weighed where the branch begins. */
  readonly base: number;
  /** How many items the way takes in before it gives one. */
  readonly gathers: number;
  /** How many items of the branch it can hold, while it gives none. */
  readonly holds: number;
}

export function branchPath(broadcast: SplitSpec, branch: string, most: number, highWaterMark: number): Path {
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
 * Says which branches of one pipeline that meet again are out of step by more than they can hold.
 *
 * The first item that comes by branch A has taken `gathers` items into A, and so as many into each other branch, which
 * must hold them where A is waited for: by the join itself, where it takes its inputs in turn, else by what is behind it.
 *
 * @param inputs - The ways by which the items of each input came.
 * @param reads - How a join by a rule reads its inputs; a merge never waits for one of them.
 */
export function diamondWarnings(
  join: string,
  highWaterMark: number,
  inputs: ReadonlyArray<readonly Path[]>,
  reads?: JoinKind['reads'],
): string[] {
  const warnings = new Map<string, string>();
  inputs.forEach((paths, at) => {
    for (const a of paths) {
      inputs.forEach((others, other) => {
        if (other === at || (reads === 'one by one' && other < at)) return;
        for (const b of others) {
          if (a.broadcast !== b.broadcast || a.branch === b.branch) continue;
          const problem = problemOf(join, a, b, b.holds + highWaterMark * b.gathers, reads);
          if (problem !== undefined) warnings.set(`${a.branch} ${b.branch}`, problem);
        }
      });
    }
  });
  return [...warnings.values()];
}

function problemOf(join: string, a: Path, b: Path, holds: number, reads?: JoinKind['reads']): string | undefined {
  if (reads === 'one by one') {
    return (
      `"${join}" reads "${b.branch}" when "${a.branch}" has ended, and until then it holds ${holds}: ` +
      'with more, both stop for ever (must hold all: collect them in one of the branches, or use merge())'
    );
  }
  if (reads === 'all' && a.broadcast.split !== undefined) {
    return (
      `"${join}" waits for items of "${a.branch}" and of "${b.branch}", and each item goes to one of them only: when more than ${holds} ` +
      'in a row go to one, both stop for ever (must be merge(), or branches that get as many)'
    );
  }
  if (a.gathers <= holds) return undefined;
  const stops = reads === 'all' ? `"${join}", which waits for both,` : `what waits behind "${join}" for both`;
  return (
    `"${a.branch}" takes in ${a.gathers} items before "${join}" gets one of it, and "${b.branch}" holds ${holds}: ` +
    `they run out of step, and ${stops} stops for ever ` +
    `(must hold ${a.gathers}: put buffer(${a.gathers - holds}) into that branch)`
  );
}
