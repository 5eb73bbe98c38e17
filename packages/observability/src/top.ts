import type { Clock } from '@millrace/core';
import { checkMs, checkOptions, wrongType } from '@millrace/core/authoring';
import { backgroundClock, repeat } from './internal/background-clock.js';
import { checkObserved } from './internal/check-observed.js';
import { widthOf } from './internal/format.js';
import { headOf, tableOf } from './internal/table.js';
import type { Observed } from './observe.js';
import type { Snapshot } from './snapshot.js';

const LINE_EVERY_MS = 10_000;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';

/** What the table is written to: `process.stderr`, or anything like it. */
export interface TopStream {
  /** Takes text. */
  write(text: string): unknown;
  /** Whether it is a terminal, where text can be painted over. */
  readonly isTTY?: boolean | undefined;
  /** How wide the terminal is. */
  readonly columns?: number | undefined;
  /** How high the terminal is. */
  readonly rows?: number | undefined;
}

/** Where and when the table is painted. */
export interface TopOptions {
  /** Default: `process.stderr`. */
  readonly stream?: TopStream;
  /** How often a terminal is repainted. Anything else gets a line at most every 10 seconds. Default: 1,000. */
  readonly intervalMs?: number;
  /** The time of the repainting. Default: the platform's, with timers that keep no process alive. */
  readonly clock?: Clock;
}

/** A table that is being painted. */
export interface Top {
  /** Paints a last time and ends; the table stays. */
  close(): void;
}

/**
 * Shows the figures of pipelines as a table that is repainted in place, each stage a row.
 *
 * Only a terminal is repainted; for a file or a pipe it is a line per pipeline every 10 seconds. In narrow terminals the less
 * important columns are left out, in low ones the last rows. Times stand beside the first stage of each fused group. Do
 * not write to the same terminal while it runs: print before, or after `close()`.
 *
 * @param observed - What `observe()` gave.
 * @param options - `stream`, `intervalMs`, `clock`.
 * @returns The table; `close()` ends it.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `observed` is not from `observe()`, or an option is unknown or has a wrong type.
 *
 * @example Show a table while a pipeline runs
 * ```ts
 * import { from, map } from '@millrace/core';
 * const observed = observe({ name: 'doubled' });
 * let shown = '';
 * const table = top(observed, { stream: { write: (text) => void (shown += text) } });
 * await from([1, 2, 3]).pipeThrough(map((n) => n * 2)).toArray({ observer: observed.observer });
 * table.close();
 * assert.match(shown, /^doubled: done, .* 0 of 1 inside\n$/);
 * ```
 */
export function top(observed: Observed, options: TopOptions = {}): Top {
  checkObserved('top()', observed);
  checkOptions('top()', options, ['stream', 'intervalMs', 'clock']);
  const { stream = globalThis.process?.stderr, intervalMs = 1000, clock = backgroundClock } = options;
  checkMs('top()', 'intervalMs', intervalMs, 1);
  if (typeof stream?.write !== 'function') throw wrongType('top()', 'stream', stream, 'a stream with write()');
  const isTerminal = stream.isTTY === true;
  const paint = isTerminal ? painter(stream) : liner(stream);
  let last: Snapshot | undefined;
  const show = (): void => {
    last = observed.snapshot(last);
    paint(last);
  };
  let end: (() => void) | undefined = repeat(
    clock,
    isTerminal ? intervalMs : Math.max(intervalMs, LINE_EVERY_MS),
    show,
  );
  return {
    close() {
      if (end === undefined) return;
      end();
      end = undefined;
      show();
    },
  };
}

/** Paints each table over the one before. */
function painter(stream: TopStream): (snapshot: Snapshot) => void {
  let before: readonly string[] = [];
  return (snapshot) => {
    const columns = Math.max(1, stream.columns ?? DEFAULT_COLUMNS);
    const rows = Math.max(1, stream.rows ?? DEFAULT_ROWS);
    // A line as wide as the terminal may wrap, and what scrolled out at the top can't be painted over.
    const lines = tableOf(snapshot, Math.max(1, columns - 1)).slice(0, Math.max(1, rows - 1));
    // After the terminal was made narrower, what was one line takes several.
    const up = before.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    before = lines;
    const home = up === 0 ? '' : `\u001b[${Math.min(up, rows - 1)}A\r`;
    stream.write(`${home}${lines.map((line) => `${CLEAR_LINE}${line}\n`).join('')}${up > 0 ? CLEAR_BELOW : ''}`);
  };
}

function liner(stream: TopStream): (snapshot: Snapshot) => void {
  return ({ pipelines }) => {
    for (const pipeline of pipelines) stream.write(`${headOf(pipeline)}\n`);
  };
}
