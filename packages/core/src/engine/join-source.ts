import { Join, type JoinKind } from './join.js';
import { type JoinParts, joined } from './joined.js';
import type { NodeSpec } from './spec.js';

/** Several pipelines, joined by a rule. */
export function joinSource(parts: JoinParts, rule: JoinKind): NodeSpec {
  return joined(parts, (inputs, mark, weight, context) => new Join(rule, inputs, mark, weight, context), rule);
}
