import type { StageContext } from './context.js';
import { Gate } from './gate.js';
import type { NodeSpec, SourceReader, TellingReader } from './spec.js';
import { START } from './tail.js';

/** A source that is asked for its items. */
export function readerSource(
  name: string,
  open: (context: StageContext) => SourceReader<unknown> | TellingReader<unknown>,
): NodeSpec {
  return {
    type: 'node',
    name,
    inputs: [],
    plan(planner) {
      const stage = planner.stage(name, 'source', START);
      const at = planner.node({
        type: 'source',
        stage,
        from: [],
        open: (nodes) => new Gate(nodes.run, nodes.stage(stage), stage, open),
      });
      return { ...START, from: [at], inputs: [stage] };
    },
  };
}
