import type { StageCounts } from '@millrace/core';
import type { NodeSnapshot, Percentiles, PipelineSnapshot, Snapshot, StageSnapshot } from '../snapshot.js';
import { BUCKETS, countBelow, quantileOf } from './histogram.js';
import type { NodeFigures, PipelineFigures, StageFigures } from './pipeline-figures.js';
import { COUNTS, NODE, STAGE } from './slots.js';

/** The limits of the buckets that a snapshot tells: 2 to these powers, in nanoseconds; 64 ns to 69 s. */
const OCTAVES = [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36] as const;

const IN = COUNTS.indexOf('in');
const MADE = COUNTS.indexOf('made');
const OUT = COUNTS.indexOf('out');

/** A copy of all slots at one moment. */
export interface Reading {
  readonly atMs: number;
  readonly pipelines: ReadonlyMap<string, PipelineReading>;
}

interface PipelineReading {
  readonly of: Omit<PipelineSnapshot, 'stages' | 'nodes'>;
  readonly stages: ReadonlyArray<
    Pick<StageFigures, 'name' | 'kind' | 'node' | 'slots'> & { errors: Record<string, number> }
  >;
  readonly nodes: readonly NodeFigures[];
}

/** Reads all figures. */
export function readingOf(pipelines: Iterable<PipelineFigures>, atMs: number): Reading {
  const read = new Map<string, PipelineReading>();
  for (const each of pipelines) {
    each.refresh();
    const { name, state, runs, inFlight, inFlightBound, lastError } = each;
    read.set(name, {
      of: { name, state, runs: { ...runs }, inFlight, inFlightBound, lastError },
      stages: each.stages.map(({ name, kind, node, slots, errors }) => {
        return { name, kind, node, slots: slots.slice(), errors: Object.fromEntries(errors) };
      }),
      nodes: each.nodes.map(({ name, slots }) => ({ name, slots: slots.slice() })),
    });
  }
  return { atMs, pipelines: read };
}

/** Makes a snapshot of the difference of two readings; the window begins at `start` where there is only one. */
export function snapshotOf(now: Reading, before: Reading | undefined, start: number): Snapshot {
  const windowMs = now.atMs - (before?.atMs ?? start);
  const pipelines = [...now.pipelines].map(([name, { of, stages, nodes }]) => {
    const earlier = before?.pipelines.get(name);
    return {
      ...of,
      stages: stages.map((stage, at) => stageOf(stage, earlier?.stages[at]?.slots, windowMs)),
      nodes: nodes.map((node, at) => nodeOf(node, earlier?.nodes[at]?.slots, windowMs)),
    };
  });
  return { atMs: now.atMs, windowMs, pipelines };
}

function stageOf(
  { name, kind, node, slots, errors }: PipelineReading['stages'][number],
  before: Float64Array | undefined,
  windowMs: number,
): StageSnapshot {
  const rate = (at: number): number => perSecond((slots[at] as number) - (before?.[at] ?? 0), windowMs);
  return {
    name,
    kind,
    node,
    counts: Object.fromEntries(COUNTS.map((count, at) => [count, slots[at] as number])) as unknown as StageCounts,
    inPerSecond: rate(kind === 'source' ? MADE : IN),
    outPerSecond: rate(OUT),
    waiting: slots[STAGE.waiting] as number,
    highWaterMark: slots[STAGE.highWaterMark] as number,
    inside: slots[STAGE.inside] as number,
    capacity: slots[STAGE.capacity] as number,
    errors,
  };
}

function nodeOf({ name, slots }: NodeFigures, before: Float64Array | undefined, windowMs: number): NodeSnapshot {
  const runningMs = slots[NODE.runningMs] as number;
  const items = slots[NODE.items] as number;
  const buckets = slots.subarray(NODE.buckets);
  const ran = runningMs - (before?.[NODE.runningMs] ?? 0);
  return {
    name,
    runningRatio: windowMs > 0 ? Math.min(1, ran / windowMs) : 0,
    runningSeconds: runningMs / 1000,
    service:
      items === 0
        ? undefined
        : {
            items,
            seconds: (slots[NODE.serviceMs] as number) / 1000,
            buckets: OCTAVES.map((octave) => ({ belowSeconds: 2 ** octave / 1e9, items: countBelow(buckets, octave) })),
            window: percentilesOf(before === undefined ? buckets : minus(buckets, before.subarray(NODE.buckets))),
          },
  };
}

function percentilesOf(buckets: Float64Array): Percentiles | undefined {
  const p50 = quantileOf(buckets, 0.5);
  if (p50 === undefined) return undefined;
  const ms = (q: number): number => (quantileOf(buckets, q) as number) / 1e6;
  return { p50Ms: p50 / 1e6, p95Ms: ms(0.95), p99Ms: ms(0.99), p999Ms: ms(0.999) };
}

function minus(now: Float64Array, before: Float64Array): Float64Array {
  const difference = new Float64Array(BUCKETS);
  for (let at = 0; at < BUCKETS; at++) difference[at] = (now[at] as number) - (before[at] as number);
  return difference;
}

function perSecond(items: number, windowMs: number): number {
  return windowMs > 0 ? (items / windowMs) * 1000 : 0;
}
