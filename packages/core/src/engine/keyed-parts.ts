import { PipelineError } from '../errors.js';
import type { Puller } from './answer.js';
import type { RunContext, StageContext } from './context.js';
import type { OpenLane } from './lane.js';
import type { LaneLoops } from './lane-loop.js';
import type { ErrorPolicy } from './rejects.js';
import type { SizeOf } from './scale.js';
import type { Chain } from './spec.js';

/** How many items are read before they are told apart. */
export const IN_HAND = 64;

/** A sub-pipeline for each key. */
export interface KeyedSpec {
  readonly key: (item: unknown) => unknown;
  readonly maxKeys: number;
  /** How many items of each key may wait. */
  readonly highWaterMark: number;
  /** What one of them weighs, where `highWaterMark` is of weight. */
  readonly size?: SizeOf | undefined;
  /** What becomes of one key more: the key used least recently is completed, or the run fails. */
  readonly overflow: 'evict' | 'fail';
  /** What becomes of an item whose key can't be told. Default: it fails the run. */
  readonly onError?: ErrorPolicy<never, unknown> | undefined;
  /** What the items of each key go through; it begins with a feed. */
  readonly inner: Chain;
}

/** What a keyed stage is made of, beside its spec. */
export interface KeyedParts {
  readonly upstream: Puller<unknown>;
  readonly run: RunContext;
  /** The context of the stage that tells the items apart, and that of the merge behind the sub-pipelines. */
  readonly split: StageContext;
  readonly merge: StageContext;
  /** How many stages a sub-pipeline has. */
  readonly stages: number;
  /** Opens a sub-pipeline that takes its items from `lane`. */
  open(lane: Puller<unknown>): OpenLane;
  /** Where a sub-pipeline is one loop and nothing else: the loops of all of them, asked for once. */
  loops(): LaneLoops | undefined;
}

/** Counts items that wait before a stage and go no further. */
export function abandon({ counts, inside, weight }: StageContext, items: number): void {
  if (items === 0) return;
  counts.in += items;
  counts.abandoned += items;
  inside(-items * weight);
}

/** What a run is warned of that evicts keys. */
export function evicts(name: string, maxKeys: number): string {
  return `"${name}" has more than ${maxKeys} keys: the one used least recently is completed to make room for another, and begins anew when it comes again (must have a larger maxKeys, or fewer keys)`;
}

/** What `overflow: 'fail'` fails with. */
export function tooMany(maxKeys: number): PipelineError {
  return new PipelineError(
    'ERR_CORE_KEYS',
    `Cannot begin another key: ${maxKeys} are open already (must be fewer, a larger maxKeys, or overflow: 'evict')`,
  );
}
