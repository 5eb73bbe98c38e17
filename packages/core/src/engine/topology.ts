import type { StageCounts } from './counts.js';
import type { Plan, PlannedStage } from './plan.js';

/** A stage as a node of a {@link Topology}. */
export interface TopologyNode {
  /** The name of the stage in the plan, which errors, counts and figures have too: no two have the same. */
  readonly name: string;
  readonly kind: PlannedStage['kind'];
  /** How many items may wait before it; `Infinity` (`null` in JSON) where there is no limit. */
  readonly highWaterMark: number;
  /** How many items it may have in service, or hold. */
  readonly inService: number;
  /** What became of its items so far; only of a run. */
  readonly counts?: StageCounts;
  /** How many items wait before it now; only of a run. */
  readonly waiting?: number;
}

/** Where items go from one stage to another. */
export interface TopologyEdge {
  /** The names of the stages. */
  readonly from: string;
  readonly to: string;
  /** How many items may wait on it; where it is `bySize`, how much they may weigh, the last one left out. */
  readonly highWaterMark: number;
  /** Whether its items are weighed, by a `size`; left out where each counts as one. */
  readonly bySize?: true;
}

/** Stages that run as one loop. */
export interface TopologyGroup {
  readonly name: string;
  /** The names of the stages. */
  readonly stages: readonly string[];
}

/** What a run knows of each stage now. */
export interface LiveFigures {
  readonly counts: readonly StageCounts[];
  readonly waiting: readonly number[];
}

/**
 * The stages of a pipeline or a run as a graph: plain data (`JSON.stringify` takes it as it is), and a picture of it as
 * text for Mermaid or Graphviz.
 *
 * @example Draw a pipeline
 * ```ts
 * const graph = from([1, 2]).pipeThrough(mapAsync(async (n) => n, { concurrency: 4, name: 'look up' })).topology();
 * assert.deepEqual(graph.edges, [{ from: 'array', to: 'look up', highWaterMark: 0 }]);
 * assert.equal(
 *   graph.toMermaid(),
 *   ['flowchart LR', '  s0(["array"])', '  s1["look up<br>4 in service"]', '  s0 --> s1'].join('\n'),
 * );
 * ```
 */
export class Topology {
  /** In the order of the plan: each behind those that its items come from. */
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  readonly groups: readonly TopologyGroup[];
  /** The most items that can be inside at any moment, as `explain()` has it. */
  readonly bound: number;
  /** What can go wrong that its author may not have meant, as `explain()` has it. */
  readonly warnings: readonly string[];

  /** @internal */
  constructor(plan: Plan, live?: LiveFigures) {
    this.bound = plan.bound;
    this.warnings = plan.warnings;
    this.nodes = plan.stages.map(({ name, kind, weight, inputs, node: number }, at) => {
      const room = (isEdge: boolean): number =>
        plan.rooms
          .filter(({ stage, where }) => stage === name && (where === 'edge') === isEdge)
          .reduce((sum, { items }) => sum + items / weight, 0);
      const planned = plan.nodes[number];
      // The items of inputs may weigh less than those behind the merge.
      const highWaterMark = planned?.highWaterMark === undefined ? room(true) : planned.highWaterMark * inputs.length;
      const node = { name, kind, highWaterMark, inService: room(false) };
      const [counts, waiting] = [live?.counts[at], live?.waiting[at]];
      return counts === undefined || waiting === undefined ? node : { ...node, counts, waiting };
    });
    this.edges = plan.stages.flatMap(({ name, inputs }, at) => {
      const { highWaterMark = 0 } = this.nodes[at] ?? {};
      const bySize = plan.rooms.some((room) => room.stage === name && room.weight !== undefined);
      return inputs.map((input) => ({
        from: (plan.stages[input] as PlannedStage).name,
        to: name,
        highWaterMark: highWaterMark / inputs.length,
        ...(bySize && { bySize }),
      }));
    });
    this.groups = plan.nodes.flatMap(({ type }, at) => {
      const stages = plan.stages.filter(({ node }) => node === at).map(({ name }) => name);
      return type === 'group' && stages.length > 1 ? [{ name: 'fused', stages }] : [];
    });
  }

  /** The graph as a Mermaid flow chart, which GitHub and many editors show as a picture. */
  toMermaid(): string {
    const ids = this.#ids();
    const node = (each: TopologyNode, indent: string): string => {
      const [open, close] = MERMAID_SHAPES[each.kind] ?? ['[', ']'];
      return `${indent}${ids.get(each.name)}${open}"${labelOf(each, escapeMermaid).join('<br>')}"${close}`;
    };
    const edges = this.edges.map(({ from, to, ...edge }) => {
      const label = edge.highWaterMark > 0 ? `|${markOf(edge)}|` : '';
      return `  ${ids.get(from)} -->${label} ${ids.get(to)}`;
    });
    const groups = this.groups.flatMap(({ name, stages }, at) => [
      `  subgraph g${at}["${escapeMermaid(name)}"]`,
      ...this.#in(stages).map((each) => node(each, '    ')),
      '  end',
    ]);
    return ['flowchart LR', ...groups, ...this.#alone().map((each) => node(each, '  ')), ...edges].join('\n');
  }

  /** The graph in the DOT language of Graphviz. */
  toDot(): string {
    const ids = this.#ids();
    const node = (each: TopologyNode, indent: string): string => {
      const shape = DOT_SHAPES[each.kind] ?? 'box';
      return `${indent}${ids.get(each.name)} [label="${labelOf(each, escapeDot).join('\\n')}", shape=${shape}];`;
    };
    const edges = this.edges.map(({ from, to, ...edge }) => {
      const label = edge.highWaterMark > 0 ? ` [label="${markOf(edge)}"]` : '';
      return `  ${ids.get(from)} -> ${ids.get(to)}${label};`;
    });
    const groups = this.groups.flatMap(({ name, stages }, at) => [
      `  subgraph cluster_${at} {`,
      `    label="${escapeDot(name)}";`,
      ...this.#in(stages).map((each) => node(each, '    ')),
      '  }',
    ]);
    const alone = this.#alone().map((each) => node(each, '  '));
    return ['digraph pipeline {', '  rankdir=LR;', ...groups, ...alone, ...edges, '}'].join('\n');
  }

  #ids(): Map<string, string> {
    return new Map(this.nodes.map(({ name }, at) => [name, `s${at}`]));
  }

  #in(stages: readonly string[]): TopologyNode[] {
    return this.nodes.filter(({ name }) => stages.includes(name));
  }

  #alone(): TopologyNode[] {
    return this.nodes.filter(({ name }) => !this.groups.some(({ stages }) => stages.includes(name)));
  }
}

const MERMAID_SHAPES: Partial<Record<PlannedStage['kind'], readonly [string, string]>> = {
  source: ['([', '])'],
  sink: ['([', '])'],
  merge: ['{{', '}}'],
  join: ['{{', '}}'],
  broadcast: ['{{', '}}'],
  split: ['{{', '}}'],
};

const DOT_SHAPES: Partial<Record<PlannedStage['kind'], string>> = {
  source: 'ellipse',
  sink: 'ellipse',
  merge: 'hexagon',
  join: 'hexagon',
  broadcast: 'hexagon',
  split: 'hexagon',
};

/** The lines of a node's label. */
function labelOf({ name, inService, counts, waiting }: TopologyNode, quote: (text: string) => string): string[] {
  return [
    quote(name),
    ...(inService > 0 ? [`${format(inService)} in service`] : []),
    ...(counts === undefined ? [] : [`${format(counts.out)} out, ${format(waiting ?? 0)} waiting`]),
  ];
}

function markOf({ highWaterMark, bySize }: Pick<TopologyEdge, 'highWaterMark' | 'bySize'>): string {
  return `${format(highWaterMark)}${bySize ? ' by size' : ''}`;
}

function escapeMermaid(text: string): string {
  const codes: Record<string, string> = { '#': '#35;', '"': '#quot;', '<': '#lt;', '>': '#gt;', '\n': ' ' };
  return text.replace(/[#"<>\n]/g, (character) => codes[character] as string);
}

function escapeDot(text: string): string {
  return text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
}

function format(items: number): string {
  return Number.isFinite(items) ? items.toLocaleString('en-US') : 'no limit';
}
