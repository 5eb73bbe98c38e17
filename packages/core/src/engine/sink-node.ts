import { Edge } from './edge.js';
import type { PlanNode } from './plan.js';
import type { SizeOf } from './scale.js';

/** A sink outside of the loops: what waits before it. */
export function sinkNode(
  stage: number,
  highWaterMark: number,
  size: SizeOf | undefined,
  from: readonly number[],
): PlanNode {
  return {
    type: 'sink',
    stage,
    from,
    open(nodes, at) {
      const context = nodes.stage(stage);
      const upstream = nodes.before(from);
      if (highWaterMark === 0) return upstream;
      const edge = new Edge(upstream, highWaterMark, context, false, size);
      nodes.sinkEdges[at] = edge;
      return edge;
    },
  };
}
