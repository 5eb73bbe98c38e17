import { buffer, from, map, mapAsync, type Pipeline, systemClock } from '@millrace/core';
import { observe, top } from '@millrace/observability';
import { type VirtualClock, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';
import { gate, settled } from '../test/gate.js';

const ESCAPE = '\u001b';
const CODES = new RegExp(`${ESCAPE}\\[(\\d*)([A-Z])|.`, 'gsu');
const BREAKS = new RegExp(`\n|${ESCAPE}\\[\\d*[A-Z]|\r`, 'u');

interface Screen {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
  rows: number;
  written: string;
  /** What a terminal shows after all that was written. */
  lines(): string[];
}

function screen(isTTY: boolean, columns = 100, rows = 24): Screen {
  let shown: string[] = [''];
  let row = 0;
  let column = 0;
  const put = (character: string): void => {
    if (column === own.columns) {
      row++;
      column = 0;
    }
    shown[row] = (shown[row] ?? '').slice(0, column) + character;
    column++;
  };
  const own: Screen = {
    isTTY,
    columns,
    rows,
    written: '',
    write(text) {
      own.written += text;
      for (const [part, control, count] of text.matchAll(CODES)) {
        if (part === '\n') {
          row++;
          column = 0;
          shown[row] ??= '';
        } else if (part === '\r') column = 0;
        else if (count === 'A') row -= Number(control);
        else if (count === 'K') shown[row] = '';
        else if (count === 'J') shown = shown.slice(0, row).concat('');
        else put(part);
      }
    },
    lines: () => shown.slice(0, -1),
  };
  return own;
}

function numbers(count: number): Set<number> {
  return new Set(Array.from({ length: count }, (_, n) => n));
}

async function stalled(clock: VirtualClock, pipeline: (opened: Promise<void>) => Pipeline<unknown>) {
  const observed = observe({ name: 'readings', clock });
  const { opened, open } = gate();
  const run = pipeline(opened).run({ open: () => ({ write: () => {} }) }, { observer: observed.observer, clock });
  await settled();
  return { observed, open, run };
}

const readings = (opened: Promise<void>): Pipeline<unknown> =>
  from(numbers(40))
    .pipeThrough(buffer(4))
    .pipeThrough(mapAsync(() => opened, { concurrency: 2, name: 'look up' }));

describe('top()', () => {
  test('top() repaints a terminal in place, and leaves the last table', async () => {
    const clock = virtualClock();
    const { observed, open, run } = await stalled(clock, readings);
    const stream = screen(true);
    const table = top(observed, { stream, clock });
    await clock.advance(1000);
    expect(stream.lines()).toEqual([
      'readings: running, 6/s read, 6 of 71 inside',
      '              in/s  out/s  waiting  inside   p50   p99  total out  lost  errors',
      '  iterable       6      6                   0 ns  0 ns          6',
      '  buffer         6      2      4/4                              2',
      '  look up        2      0              2/2                      0',
      '  sink           0      0     0/64     0/1                      0',
    ]);
    await clock.advance(1000);
    expect(stream.lines()).toHaveLength(6);
    expect(stream.lines()[2]).toMatch(/^ {2}iterable +0 +0 +6$/);
    open();
    await run.finished;
    table.close();
    expect(stream.lines()[0]).toBe('readings: done, 0/s read, 0 of 71 inside');
    const { written } = stream;
    expect(written.endsWith('\n\u001b[J')).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    table.close();
    await clock.advance(5000);
    expect(stream.written).toBe(written);
  });

  test('top() writes one plain line in ten seconds where there is no terminal', async () => {
    const clock = virtualClock();
    const { observed, open, run } = await stalled(clock, readings);
    const stream = screen(false);
    const table = top(observed, { stream, clock });
    await clock.advance(9_999);
    expect(stream.written).toBe('');
    await clock.advance(1);
    expect(stream.written).toBe('readings: running, 0.6/s read, 6 of 71 inside\n');
    open();
    await run.finished;
    table.close();
    expect(stream.written).not.toContain('\u001b');
    expect(stream.written.split('\n')).toHaveLength(3);
  });

  test.each([10, 24, 40, 60, 80, 200])('top() never writes a line that wraps at %d columns', async (columns) => {
    const clock = virtualClock();
    const { observed, open, run } = await stalled(clock, (opened) =>
      from(numbers(9))
        .pipeThrough(map((n) => n, { name: '気象\u001b[31m観測\nstation with a very long name indeed' }))
        .pipeThrough(mapAsync(() => opened)),
    );
    const stream = screen(true, columns);
    const table = top(observed, { stream, clock });
    await clock.advance(3000);
    table.close();
    const lines = stream.written.split(BREAKS);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(columns);
    expect(stream.written).not.toContain('\u001b[31m');
    expect(stream.lines()).toHaveLength(6);
    if (columns >= 24) expect(stream.written).toContain('out/s');
    open();
    await run.finished;
  });

  test('top() keeps to the height of the terminal, and to a width that changes', async () => {
    const clock = virtualClock();
    const { observed, open, run } = await stalled(clock, readings);
    const stream = screen(true, 40, 4);
    const table = top(observed, { stream, clock });
    await clock.advance(1000);
    expect(stream.lines()).toHaveLength(3);
    stream.rows = 30;
    stream.columns = 90;
    await clock.advance(1000);
    await clock.advance(1000);
    expect(stream.lines()).toHaveLength(6);
    table.close();
    open();
    await run.finished;
  });

  test('top() shows errors, what was lost, and times of a fused group beside its first stage', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, now: () => nowMs };
    const observed = observe({ name: 'work', clock });
    const fails = map((n: number): number => {
      nowMs += 250;
      if (n === 2) throw new RangeError('no');
      return n;
    });
    await from([1, 2])
      .pipeThrough(fails)
      .toArray({ observer: observed.observer, clock })
      .catch(() => {});
    const stream = screen(true, 120);
    top(observed, { stream, clock }).close();
    const [head, , array, step] = stream.lines();
    expect(head).toBe('work: failed, 4/s read, 0 of 1 inside, 1 errors');
    expect(array).toMatch(/ms/);
    expect(step).toMatch(/^ {2}map +4 +2 +1 +1 +1$/);
  });

  test('top() shows nothing before the first run, and refuses wrong options', () => {
    const stream = screen(true);
    top(observe(), { stream, clock: virtualClock() }).close();
    expect(stream.written).toBe('');
    expect(() => top(observe(), { intervalMs: 0 })).toThrow('must be a number of milliseconds, 1 or more');
    expect(() => top(observe(), { stream: {} as never })).toThrow('must be a stream with write()');
    expect(() => top(observe(), { every: 1 } as never)).toThrow('option "every" is unknown');
  });
});
