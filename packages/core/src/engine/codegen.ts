import type { Names, SinkKind, SourceKind, StepKind } from './step.js';

/** What a fused group is, apart from the user's functions: enough to write its loop. */
export interface Shape {
  readonly source: SourceKind;
  readonly steps: readonly StepKind[];
  readonly sink: SinkKind;
}

/** Where a group keeps its counts: one for each region (items that entered it), then one for each step's tally. */
export interface Layout {
  /** The region whose count is what entered step `k`; the last entry is the sink's. */
  readonly region: readonly number[];
  /** Where the tally of step `k` is, or -1. */
  readonly tally: readonly number[];
  readonly counts: number;
}

/** Why a machine's `run` or `flush` came back. */
export const STATUS = {
  /** The input or the allowance is used up. */
  slice: 0,
  /** Step `failed` threw `error`. */
  failed: 2,
  /** The sink waits for the promise `waitsFor`. */
  waiting: 3,
  /** As many items were made as were asked for; a cursor is open. */
  full: 4,
  /** The source has no more. */
  done: 5,
  /** The source threw `error`. */
  sourceFailed: 6,
  /** A step waits for the promise `awaits`. */
  awaiting: 7,
  /** A step waits for the stream that gets the dead letter of its item. */
  writing: 8,
} as const;

/** What a policy says of an item on which the user's function failed; anything else is a status to leave the loop with. */
export const RESCUE = {
  /** Another value, in `value`, takes the place of the function's. */
  used: -1,
  /** The item is dealt with: on to the next. */
  lost: -2,
} as const;

/** Lays out the counts of a group: a step that can lose, hold or make items begins a new region behind it. */
export function layOut(steps: readonly StepKind[]): Layout {
  const region: number[] = [];
  let last = 0;
  for (const step of steps) {
    region.push(last);
    if (step.splits) last++;
  }
  region.push(last);
  let counts = last + 1;
  const tally = steps.map((step) => (step.tally === undefined ? -1 : counts++));
  return { region, tally, counts };
}

/** The name that `machineText` has for parameter `at` of step `owner`; the sink is the step behind the last. */
export const paramName = (owner: number, at: number): string => `p${owner}_${at}`;

/**
 * Writes the loop of a group: the body of a function of `names` (the parameters and the runtime) that returns
 * `{ run, flush }`. The loop has one segment for the source and one for each one-to-many step, which resumes from its
 * cursor; a `flush` has one for each step that holds items.
 */
export function machineText(shape: Shape, layout: Layout, copy: number): string {
  const { steps } = shape;
  const cursors = steps.flatMap((step, at) => (step.cursor === undefined ? [] : [at]));
  const writer = new Writer(shape, layout, cursors);
  // The first count is that of what the source gave: it stands beside the position, and the loop keeps one of the two.
  const later = Array.from({ length: layout.counts - 1 }, (_, at) => at + 1);
  const load = (number: string): string =>
    [
      ...later.map((at) => `let n${at} = C[${at}];`),
      ...writer.states.map((at) => `let s${at} = ${writer.folds.includes(at) ? number : ''}T[${at}];`),
    ].join(' ');
  const save = [...later.map((at) => `C[${at}] = n${at};`), ...writer.states.map((at) => `T[${at}] = s${at};`)].join(
    ' ',
  );
  const open = (number: string): string =>
    `const C = S.counts, T = S.states, O = S.out; let status = 0, stop = S.stop, level = S.level; ${load(number)}`;
  const close = `${save} S.stop = stop; S.level = level; S.status = status;`;
  const levels = cursors.map((at, level) => steps[at]?.cursor?.text(writer, at, level + 1)).reverse();
  const waitsAt = steps.findIndex((step) => step.waiting !== undefined);
  const waiting = steps[waitsAt]?.waiting;
  const flushes = steps.map((step, at) => (step.flush === undefined ? '' : writer.flushSegment(step, at)));
  const loop = (
    number: string,
    ready: string,
  ): string => `${open(number)} let left = limit, i = S.at; const before = C[0] - i;
main: for (;;) {
${ready}
${levels.join('\n')}
if (S.isDry) break;
${writer.sourceSegment()}
break; }
${close}`;
  const ready = waiting?.ready(writer, waitsAt) ?? '';
  const run = (name: string, number: string): string =>
    `function ${name}(S, limit, max) { ${loop(number, ready)} S.at = i; C[0] = i + before; }`;
  const isNumber = writer.folds.map((at) => `typeof S.states[${at}] === 'number'`).join(' && ');
  // PERF: a total that may be anything is boxed for each item; one that begins as a number is not (core/sum, 1.2 times as fast).
  const runs =
    isNumber === ''
      ? run('run', '')
      : `${run('runAny', '')}
${run('runNumbers', '+')}
function run(S, limit, max) { if (${isNumber}) runNumbers(S, limit, max); else runAny(S, limit, max); }`;
  return `"use strict"; // copy ${copy}
${runs}
function flush(S, at, max) {
${open('')}
main: { switch (at) {
${flushes.join('\n')}
} }
${close} }
${cursors.length === 0 && waiting !== undefined ? waiting.listen(loop('', waiting.value(writer, waitsAt))) : 'const listen = undefined;'}
return { run, flush, listen };`;
}

/** Writes the text of one loop. */
export class Writer {
  readonly #shape: Shape;
  readonly layout: Layout;
  readonly #cursors: readonly number[];
  /** The steps (and the sink, as the last) that keep something from item to item. */
  readonly states: readonly number[];
  /** Those of them that keep what the user's function gave last. */
  readonly folds: readonly number[];
  /** Whether an item can be the last one that passes a step. */
  readonly stops: boolean;

  constructor(shape: Shape, layout: Layout, cursors: readonly number[]) {
    this.#shape = shape;
    this.layout = layout;
    this.#cursors = cursors;
    const all = [...shape.steps, shape.sink];
    this.folds = all.flatMap((each, at) => (each.folds === true ? [at] : []));
    this.stops = all.some((each) => each.stops === true);
    this.states = all.flatMap((each, at) => (each.start !== undefined || at === shape.steps.length ? [at] : []));
  }

  /** PERF: a `for` that counts behind the item is 1.12 times as fast as a `while` that counts before (core/map-reduce). */
  sourceSegment(): string {
    if (this.isEmitted(0) && this.#shape.source === 'array')
      return 'const end = Math.min(S.end, i + limit); if (i < end) { handOn(S, S.input, i, end); i = end; }';
    const isLimited = this.#cursors.length > 0;
    const { source } = this.#shape;
    const ends = source === 'array' || source === 'range' ? ['S.end'] : [];
    // A loop with cursors counts each item against its allowance; one without has the allowance in its bound.
    const bounds = isLimited ? ends : [...ends, 'i + limit'];
    const end = bounds.length > 1 ? `Math.min(${bounds.join(', ')})` : (bounds[0] ?? 'Infinity');
    const tick = isLimited ? 'if (left-- <= 0) break main;' : '';
    const { prepare, take } = TAKE[source];
    return `${prepare} const end = ${end};
for (; i < end${this.stops ? ' && stop < 0' : ''}; i++) { ${tick} ${take} const j0 = i + before; ${this.chain(0, 'v0', IN_SOURCE)} }`;
  }

  /** Whether items are handed on as they are from step `at` on. */
  isEmitted(at: number): boolean {
    return at === this.#shape.steps.length && this.#shape.sink.id === 'emit';
  }

  flushSegment(step: StepKind, at: number): string {
    const region = this.layout.region[at + 1];
    const text = step.flush?.(this.#names(at, '', `v${at + 1}`, IN_FLUSH));
    return `case ${at}: { let v${at + 1}; ${text} const j${region} = n${region}++; ${this.chain(at + 1, `v${at + 1}`, IN_FLUSH)} break; }`;
  }

  /** The text from step `from` to the sink, or to the first step that opens a cursor. */
  chain(from: number, value: string, segment: Segment): string {
    const { steps, sink } = this.#shape;
    let text = '';
    let item = value;
    for (let at = from; at < steps.length; at++) {
      const step = steps[at] as StepKind;
      const out = `v${at + 1}`;
      if (step.cursor !== undefined) return `${text} ${step.each(this.#names(at, item, out, segment))}`;
      text += `let ${out}; ${this.#scoped(step.each(this.#names(at, item, out, segment)))}\n`;
      if (step.splits) text += `const j${this.layout.region[at + 1]} = n${this.layout.region[at + 1]}++;\n`;
      item = out;
    }
    if (sink.id === 'emit') {
      return `${text} O.push(${item});${this.#cursors.length > 0 ? ` if (O.length >= max) { status = ${STATUS.full}; ${segment.exit} }` : ''}`;
    }
    return `${text} ${this.#scoped(sink.each(this.#names(steps.length, item, '', segment)))}`;
  }

  #scoped(text: string): string {
    return `{ ${text} }`;
  }

  #names(at: number, item: string, out: string, segment: Segment): Names {
    const tally = this.layout.tally[at];
    const level = this.#cursors.indexOf(at) + 1;
    const leave = `status = ${STATUS.failed}; ${segment.exit}`;
    const call = (code: string): string =>
      `try { ${code} } catch (error) { S.error = error; S.failed = ${at}; ${leave} }`;
    const index = `j${this.layout.region[at]}`;
    // What the policy says of the item: another value, on to the next item, or out of the loop.
    const rescue = (use: (result: string) => string): string =>
      `{ const how = S.rescue(${at}, error, ${item}, ${index}); if (how === ${RESCUE.lost}) { ${segment.next} } if (how !== ${RESCUE.used}) { status = how; ${segment.exit} } ${call(use('S.value'))} }`;
    return {
      in: item,
      out,
      index,
      state: `s${at}`,
      param: (number) => paramName(at, number),
      call,
      attempt: (expression, use) =>
        this.#shape.steps[at]?.isGuarded === true
          ? `try { ${use(expression)} } catch (error) ${rescue(use)}`
          : call(use(expression)),
      drop: `{ n${tally}++; ${segment.next} }`,
      hold: segment.next,
      absorb: (count) => `n${tally} += ${count};`,
      stop: `stop = ${at};`,
      open: (many) => `S.cursors[${level - 1}].open(${many}, level); level = ${level}; ${segment.open}`,
      wait: (promise) => `{ S.waitsFor = ${promise}; status = ${STATUS.waiting}; ${segment.exit} }`,
      await: (promise) => `{ S.awaits = ${promise}; status = ${STATUS.awaiting}; ${segment.exit} }`,
      park: (value) => `if (S.parks) { S.value = ${value}; S.isReady = true; ${segment.exit} }`,
    };
  }
}

/** How a piece of text leaves the segment it stands in; the item it works on is used up. */
export interface Segment {
  /** To the next item. */
  readonly next: string;
  /** Out of the loop. */
  readonly exit: string;
  /** To the cursor that was just opened. */
  readonly open: string;
}

const IN_SOURCE: Segment = { next: 'continue;', exit: 'i++; break main;', open: 'i++; continue main;' };
const IN_FLUSH: Segment = { next: 'break main;', exit: 'break main;', open: 'break main;' };

const SOURCE_FAILED = `{ S.error = error; status = ${STATUS.sourceFailed}; break main; }`;

/** How each kind of source gives item number `i`. */
const TAKE: Readonly<Record<SourceKind, { readonly prepare: string; readonly take: string }>> = {
  array: { prepare: 'const A = S.input;', take: 'const v0 = A[i];' },
  range: { prepare: 'const from = S.start, by = S.by;', take: 'const v0 = from + i * by;' },
  generate: {
    prepare: 'const make = S.input;',
    take: `let v0; try { v0 = make(i); } catch (error) ${SOURCE_FAILED}`,
  },
  iterator: {
    prepare: 'const source = S.input;',
    take: `let v0; try { const step = source.next(); if (step.done) { status = ${STATUS.done}; break main; } v0 = step.value; } catch (error) ${SOURCE_FAILED}`,
  },
};
