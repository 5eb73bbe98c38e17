import type { StageCounts } from '@millrace/core';
import type { NodeSnapshot, Percentiles, PipelineSnapshot, Snapshot, StageSnapshot } from '../snapshot.js';
import { countsBelow, quantilesOf } from './histogram.js';
import type { NodeFigures, PipelineFigures, StageFigures } from './pipeline-figures.js';
import { COUNTS, NODE, STAGE } from './slots.js';

/** The limits of the buckets that a snapshot tells: 2 to these powers, in nanoseconds; 64 ns to 69 s. */
const OCTAVES = [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36] as const;

const LIMITS = OCTAVES.map((octave) => 2 ** octave / 1e9);

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
            buckets: countsBelow(buckets, OCTAVES).map((below, at) => ({
              belowSeconds: LIMITS[at] as number,
              items: below,
            })),
            window: percentilesOf(buckets, before?.subarray(NODE.buckets)),
          },
  };
}

function percentilesOf(buckets: Float64Array, before: Float64Array | undefined): Percentiles | undefined {
  const values = quantilesOf(buckets, [0.5, 0.95, 0.99, 0.999], before);
  if (values === undefined) return undefined;
  const [p50Ms, p95Ms, p99Ms, p999Ms] = values.map((nanoseconds) => nanoseconds / 1e6) as [
    number,
    number,
    number,
    number,
  ];
  return { p50Ms, p95Ms, p99Ms, p999Ms };
}

function perSecond(items: number, windowMs: number): number {
  return windowMs > 0 ? (items / windowMs) * 1000 : 0;
}
