import type { Plan, PlannedRoom, PlannedStage } from './plan.js';

/**
 * The plan of a pipeline in words, and the most items that can be inside at any moment.
 *
 * Prints as text: `console.log(run.explain())`.
 *
 * @example Read the bound before running anything
 * ```ts
 * const plan = from([1, 2, 3]).pipeThrough(mapAsync(async (n) => n, { concurrency: 4 })).explain();
 * assert.equal(plan.bound, 4);
 * ```
 */
export class Explanation {
  /** The most items that can be inside: the sum of `rooms`. A batch counts as its `maxItems`. */
  readonly bound: number;
  /** Where items can be, and how many. */
  readonly rooms: readonly PlannedRoom[];
  /** The stages inside which items can't be counted. */
  readonly notCounted: readonly string[];
  /** What can go wrong that its author may not have meant: branches that meet in a merge and run out of step. */
  readonly warnings: readonly string[];
  readonly #plan: Plan;

  /** @internal */
  constructor(plan: Plan) {
    this.#plan = plan;
    // What console.log() of Node, Deno and Bun shows.
    Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), { value: () => this.toString() });
    this.bound = plan.bound;
    this.rooms = plan.rooms;
    this.notCounted = plan.notCounted;
    this.warnings = plan.warnings;
  }

  toString(): string {
    const lines = [`at most ${plural(this.bound)} inside${this.#weight()}`];
    this.#plan.nodes.forEach((node, at) => {
      const stages = this.#plan.stages.filter((stage) => stage.node === at);
      const title = node.type === 'group' ? (stages.length > 1 ? 'fused' : 'loop') : node.type;
      const names = stages.map((stage) => stage.name).join(' → ');
      lines.push(`  ${`${title}:`.padEnd(10)} ${names}${this.#inputsOf(stages[0], at)}${this.#roomsOf(stages)}`);
    });
    for (const name of this.notCounted) lines.push(`  not counted: what is inside ${name}`);
    for (const warning of this.warnings) lines.push(`  warning: ${warning}`);
    return lines.join('\n');
  }

  #weight(): string {
    const { maxBytes } = this.#plan;
    return maxBytes === undefined ? '' : `; less than ${format(maxBytes)} by size, and one item of each source`;
  }

  /** Where its items come from, if that is not the node in the line above. */
  #inputsOf(first: PlannedStage | undefined, at: number): string {
    const inputs = (first?.inputs ?? []).map((input) => this.#plan.stages[input] as PlannedStage);
    if (inputs.length < 2 && inputs.every(({ node }) => node === at - 1)) return '';
    return ` ← ${inputs.map(({ name }) => name).join(', ')}`;
  }

  #roomsOf(stages: readonly PlannedStage[]): string {
    const names = new Set(stages.map((stage) => stage.name));
    const rooms = this.rooms.filter((room) => names.has(room.stage));
    return rooms.map((room) => ` | ${room.stage} ${room.where}: ${roomOf(room)}`).join('');
  }
}

function plural(items: number): string {
  return items === 1 ? '1 item' : `${format(items)} items`;
}

/** What an edge by size may hold is known by weight; in items only as a bound, which says more where they are batches. */
function roomOf({ items, weight }: PlannedRoom): string {
  if (weight === undefined) return format(items);
  return `${format(weight)} by size${items === weight ? '' : ` (${format(items)} items)`}`;
}

function format(items: number): string {
  return Number.isFinite(items) ? items.toLocaleString('en-US') : 'without limit';
}
