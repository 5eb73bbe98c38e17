import { filter, from, map, mapAsync } from '@millrace/core';
import { observe, prometheusText, type Snapshot } from '@millrace/observability';
import { describe, expect, test } from 'vitest';

interface Parsed {
  types: Map<string, string>;
  helps: Map<string, string>;
  samples: Array<{ name: string; labels: Record<string, string>; value: number }>;
}

/** Reads the text format as its specification says, and refuses what is not in it. */
function parse(text: string): Parsed {
  const parsed: Parsed = { types: new Map(), helps: new Map(), samples: [] };
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      const map = kind === 'HELP' ? parsed.helps : parsed.types;
      expect(map.has(name)).toBe(false);
      map.set(name, rest);
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)\{(.*)\} (\S+)$/.exec(line);
    expect(sample, line).not.toBeNull();
    const [, name, pairs, value] = sample as unknown as [string, string, string, string];
    const labels: Record<string, string> = {};
    const rest = pairs.replace(/([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)",?/g, (_all, label: string, quoted: string) => {
      labels[label] = quoted.replace(/\\(.)/g, (_both, letter: string) => (letter === 'n' ? '\n' : letter));
      return '';
    });
    expect(rest).toBe('');
    expect(value).toMatch(/^(\+Inf|-Inf|NaN|-?\d+(\.\d+)?(e[+-]?\d+)?)$/);
    parsed.samples.push({ name, labels, value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) });
  }
  return parsed;
}

async function snapshot(name: string, stage = 'odd'): Promise<Snapshot> {
  const observed = observe({ name });
  await from([1, 2, 3, 4, 5])
    .pipeThrough(filter((n) => n % 2 === 1, { name: stage }))
    .pipeThrough(mapAsync(async (n) => n, { concurrency: 2 }))
    .pipeThrough(
      map((n: number): number => {
        if (n === 5) throw new RangeError('five');
        return n;
      }),
    )
    .toArray({ observer: observed.observer })
    .catch(() => {});
  return observed.snapshot();
}

describe('prometheusText()', () => {
  test('prometheusText() can be parsed back into the figures of the snapshot', async () => {
    const figures = await snapshot('numbers');
    const { samples, types, helps } = parse(prometheusText(figures));
    const read = (name: string, labels: Record<string, string>): number | undefined =>
      samples.find((sample) => {
        return sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
      })?.value;
    const stage = { pipeline: 'numbers', stage: 'odd' };
    expect(read('pipeline_stage_entered_total', stage)).toBe(5);
    expect(read('pipeline_stage_items_total', { ...stage, outcome: 'filtered' })).toBe(2);
    expect(read('pipeline_stage_items_total', { ...stage, outcome: 'out' })).toBe(3);
    expect(read('pipeline_stage_made_total', { stage: 'array' })).toBe(5);
    expect(read('pipeline_stage_errors_total', { stage: 'map', error_type: 'RangeError' })).toBe(1);
    expect(read('pipeline_runs_ended_total', { outcome: 'failed' })).toBe(1);
    expect(read('pipeline_node_service_seconds_count', { node: 'mapAsync' })).toBe(3);
    expect(new Set(types.keys())).toEqual(new Set(helps.keys()));
    const families = new Set(samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')));
    expect(families).toEqual(new Set(types.keys()));
    for (const [name, type] of types) expect(name.endsWith('_total')).toBe(type === 'counter');
  });

  test('prometheusText() gives histograms whose buckets add up', async () => {
    const { samples } = parse(prometheusText(await snapshot('numbers')));
    const buckets = samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels['node'] === 'mapAsync');
    const limits = buckets.map(({ labels }) =>
      labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']),
    );
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
    expect(limits.at(-1)).toBe(Number.POSITIVE_INFINITY);
    const counts = buckets.map(({ value }) => value);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(3);
  });

  test('prometheusText() never writes a series twice', async () => {
    const { samples } = parse(prometheusText(await snapshot('numbers', 'mapAsync')));
    const series = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
    expect(new Set(series).size).toBe(series.length);
  });

  test.each(['a "quoted" name', 'back\\slash', 'two\nlines', 'a\\nb', '{curly="braces"}', 'ends with \\'])(
    'prometheusText() escapes %j',
    async (name) => {
      const { samples } = parse(prometheusText(await snapshot(name, name)));
      expect(samples.some(({ labels }) => labels['pipeline'] === name && labels['stage'] === name)).toBe(true);
    },
  );

  test('prometheusText() writes a bound without limit as +Inf', async () => {
    const figures = await snapshot('numbers');
    const [pipeline] = figures.pipelines;
    const endless = { ...figures, pipelines: [{ ...pipeline!, inFlightBound: Number.POSITIVE_INFINITY }] };
    expect(prometheusText(endless)).toContain('pipeline_in_flight_bound_items{pipeline="numbers"} +Inf\n');
  });

  test('prometheusText() gives nothing before the first run', () => {
    expect(prometheusText(observe().snapshot())).toBe('');
  });
});
