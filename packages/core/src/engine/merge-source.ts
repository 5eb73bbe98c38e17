import { type JoinParts, joined } from './joined.js';
import { Merge } from './merge.js';
import type { NodeSpec } from './spec.js';

/** Several pipelines, joined as their items arrive. */
export function mergeSource(parts: JoinParts): NodeSpec {
  return joined(parts, (inputs, highWaterMark, _weight, context) => new Merge(inputs, highWaterMark, context));
}
