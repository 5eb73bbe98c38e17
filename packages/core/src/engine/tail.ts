import type { Path } from './diamonds.js';

/** Where a chain has got to: what the next stage takes its items from. */
export interface Tail {
  /** The number of the node to pull from; none before a source that runs in a loop. */
  readonly from: readonly number[];
  readonly inputs: readonly number[];
  readonly weight: number;
  /** The weight in the bound: without limit behind a batch without `maxItems`, which counts as one item. */
  readonly most: number;
  /** What weighs that without being a batch: the items of a tuple. */
  readonly unit: number;
  /** The branches that the items came through. */
  readonly paths: readonly Path[];
}

/** Before a source. */
export const START: Tail = { from: [], inputs: [], weight: 1, most: 1, unit: 1, paths: [] };
