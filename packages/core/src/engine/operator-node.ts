import { Carried, plain } from './carried.js';
import { OperatorBarriers } from './operator-barriers.js';
import type { PlanNode } from './plan.js';
import type { OperatorRooms, OperatorSpec } from './spec.js';
import { Translated } from './translated.js';

/** Anything that is not a synchronous step: what a function makes of the puller before it. */
export function operatorNode(
  spec: OperatorSpec,
  stage: number,
  rooms: OperatorRooms,
  from: readonly number[],
): PlanNode {
  return {
    type: 'operator',
    stage,
    from,
    spec,
    isQueue: spec.isQueue === true,
    obstacle: obstacleIn(spec),
    open(nodes) {
      const context = nodes.stage(stage);
      const { checkpoints, origin } = nodes.run;
      const upstream = nodes.before(from);
      // One that does not know of origins sees items without.
      const isPlain = origin !== undefined && spec.carries !== true;
      const operator = spec.open(isPlain ? new Translated(upstream, plain) : upstream, context, rooms);
      const saved = checkpoints === undefined ? operator : new OperatorBarriers(operator, context, checkpoints);
      return isPlain ? new Translated(saved, (item) => new Carried(item, origin)) : saved;
    },
  };
}

function obstacleIn({ isForeign, obstacle }: OperatorSpec): string | undefined {
  const is = isForeign ? 'is a foreign transform, which no barrier passes' : obstacle;
  return is === undefined ? undefined : `${is} (must be one of Millrace whose state can be saved`;
}
