import type { StageCase, Value } from './case.js';
import { keyed, tagOf } from './values.js';

/** The items of one key, from when it came until it was evicted, or until the end. */
export interface Lane {
  readonly tag: number | undefined;
  readonly items: Value[];
  isEvicted: boolean;
}

/** The sub-pipelines that a `partitionBy()` makes of items in order; of items in any order, one for each key. */
export function lanesOf(
  items: readonly Value[],
  { keys, maxKeys }: StageCase & { readonly kind: 'partitionBy' },
  isOrdered: boolean,
): Lane[] {
  const all: Lane[] = [];
  // The one used least recently is the first.
  let open: Lane[] = [];
  for (const item of items) {
    const value = keyed(item, keys);
    const tag = tagOf(value);
    let lane = open.find((each) => each.tag === tag);
    if (lane === undefined) {
      lane = { tag, items: [], isEvicted: false };
      all.push(lane);
    }
    lane.items.push(value);
    open = [...open.filter((each) => each !== lane), lane];
    if (open.length <= maxKeys || !isOrdered) continue;
    (open[0] as Lane).isEvicted = true;
    open = open.slice(1);
  }
  return all;
}

/** A stage without what goes wrong in it. */
export function faultless(stage: StageCase): StageCase {
  const inner = 'stages' in stage ? { stages: stage.stages.map(faultless) } : {};
  return { ...stage, ...inner, fault: undefined, inside: undefined } as StageCase;
}
