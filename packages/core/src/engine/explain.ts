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
  readonly #plan: Plan;

  /** @internal */
  constructor(plan: Plan) {
    this.#plan = plan;
    // What console.log() of Node, Deno and Bun shows.
    Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), { value: () => this.toString() });
    this.bound = plan.bound;
    this.rooms = plan.rooms;
    this.notCounted = plan.notCounted;
  }

  toString(): string {
    const lines = [`at most ${plural(this.bound)} inside`];
    this.#plan.nodes.forEach((node, at) => {
      const stages = this.#plan.stages.filter((stage) => stage.node === at);
      const title = node.type === 'group' ? (stages.length > 1 ? 'fused' : 'loop') : node.type;
      lines.push(
        `  ${`${title}:`.padEnd(10)} ${stages.map((stage) => stage.name).join(' → ')}${this.#roomsOf(stages)}`,
      );
    });
    const sink = this.#plan.stages.filter((stage) => stage.node >= this.#plan.nodes.length);
    for (const stage of sink) lines.push(`  ${'sink:'.padEnd(10)} ${stage.name}${this.#roomsOf([stage])}`);
    for (const name of this.notCounted) lines.push(`  not counted: what is inside ${name}`);
    return lines.join('\n');
  }

  #roomsOf(stages: readonly PlannedStage[]): string {
    const names = new Set(stages.map((stage) => stage.name));
    const rooms = this.rooms.filter((room) => names.has(room.stage));
    return rooms.map((room) => ` | ${room.stage} ${room.where}: ${format(room.items)}`).join('');
  }
}

function plural(items: number): string {
  return items === 1 ? '1 item' : `${format(items)} items`;
}

function format(items: number): string {
  return Number.isFinite(items) ? items.toLocaleString('en-US') : 'without limit';
}
