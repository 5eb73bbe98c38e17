import type { Lane } from './lane.js';

/** What is ordered. */
type Used = Pick<Lane, 'usedAt'>;

/** How many are sorted at a time: a few, since a million of them may be open. */
const SORTED = 1024;

/**
 * Knows which lane was used least recently.
 *
 * PERF: a use is a number in the lane. A list, which hangs a lane in behind the others at each use, has to touch its
 * neighbours, which are anywhere in memory (core/partitionBy, 10 to 15 ns an item); and the order is only asked for when
 * there are too many lanes.
 */
export class LaneOrder<L extends Used = Lane> {
  #uses = 0;
  /** Those that were used least recently when they were sorted, the least recent as the last. */
  #sorted: L[] = [];
  #sortedAt = 0;

  use(lane: L): void {
    lane.usedAt = ++this.#uses;
  }

  /** Takes the one of `lanes` that was used least recently; there is at least one. None is given twice. */
  takeOldest(lanes: () => Iterable<L>): L {
    for (;;) {
      const lane = this.#sorted.pop();
      if (lane === undefined) {
        this.#sorted = leastRecent(lanes());
        this.#sortedAt = this.#uses;
      }
      // INVARIANT: whoever was used, or came, since they were sorted, was so later than any that was not.
      else if (lane.usedAt <= this.#sortedAt) return lane;
    }
  }
}

/** The `SORTED` lanes that were used least recently, the least recent as the last. */
function leastRecent<L extends Used>(lanes: Iterable<L>): L[] {
  let found: L[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (const lane of lanes) {
    if (lane.usedAt >= before) continue;
    found.push(lane);
    if (found.length < 2 * SORTED) continue;
    found = found.sort(byUse).slice(-SORTED);
    before = (found[0] as L).usedAt;
  }
  return found.sort(byUse).slice(-SORTED);
}

function byUse(a: Used, b: Used): number {
  return b.usedAt - a.usedAt;
}
