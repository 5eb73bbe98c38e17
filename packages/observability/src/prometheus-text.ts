import type { StageCounts } from '@millrace/core';
import { checkSnapshot } from './internal/check-observed.js';
import type { PipelineSnapshot, Snapshot, StageSnapshot } from './snapshot.js';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number, suffix?: string];

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  of(pipeline: PipelineSnapshot): readonly Sample[];
}

/** How an item can leave a stage, by what the outcome is called. */
const OUTCOMES: ReadonlyArray<readonly [string, keyof StageCounts]> = [
  ['out', 'out'],
  ['absorbed', 'absorbed'],
  ['filtered', 'filtered'],
  ['deduped', 'deduped'],
  ['dead_lettered', 'deadLettered'],
  ['dropped', 'dropped'],
  ['abandoned', 'abandoned'],
];

const perStage = (of: (stage: StageSnapshot) => number) => (pipeline: PipelineSnapshot) =>
  pipeline.stages.map((stage): Sample => [labelsOf(pipeline, stage), of(stage)]);

const FAMILIES: readonly Family[] = [
  {
    name: 'pipeline_runs_started_total',
    type: 'counter',
    help: 'Runs that were started.',
    of: ({ name, runs }) => [[{ pipeline: name }, runs.started]],
  },
  {
    name: 'pipeline_runs_ended_total',
    type: 'counter',
    help: 'Runs that are over, by how they ended.',
    of: ({ name, runs }) =>
      (['done', 'failed', 'aborted'] as const).map((outcome) => [{ pipeline: name, outcome }, runs[outcome]]),
  },
  {
    name: 'pipeline_in_flight_items',
    type: 'gauge',
    help: 'Items inside now.',
    of: ({ name, inFlight }) => [[{ pipeline: name }, inFlight]],
  },
  {
    name: 'pipeline_in_flight_bound_items',
    type: 'gauge',
    help: 'The most items that can be inside.',
    of: ({ name, inFlightBound }) => [[{ pipeline: name }, inFlightBound]],
  },
  {
    name: 'pipeline_stage_entered_total',
    type: 'counter',
    help: 'Items that entered the stage.',
    of: perStage(({ counts }) => counts.in),
  },
  {
    name: 'pipeline_stage_made_total',
    type: 'counter',
    help: 'Items that the stage brought forth: those of a source, batches, what was unfolded.',
    of: perStage(({ counts }) => counts.made),
  },
  {
    name: 'pipeline_stage_items_total',
    type: 'counter',
    help: 'Items that left the stage, by what became of them.',
    of: (pipeline) =>
      pipeline.stages.flatMap((stage) =>
        OUTCOMES.map(([outcome, count]): Sample => [{ ...labelsOf(pipeline, stage), outcome }, stage.counts[count]]),
      ),
  },
  {
    name: 'pipeline_stage_inside_items',
    type: 'gauge',
    help: 'Items in service or held by the stage.',
    of: perStage(({ inside }) => inside),
  },
  {
    name: 'pipeline_edge_depth_items',
    type: 'gauge',
    help: 'Items that wait on the edge before the stage.',
    of: perStage(({ waiting }) => waiting),
  },
  {
    name: 'pipeline_edge_capacity_items',
    type: 'gauge',
    help: 'The most items that may wait there: its highWaterMark.',
    of: perStage(({ highWaterMark }) => highWaterMark),
  },
  {
    name: 'pipeline_stage_errors_total',
    type: 'counter',
    help: 'Errors that the stage noted, by their code or class.',
    of: (pipeline) =>
      pipeline.stages.flatMap((stage) =>
        Object.entries(stage.errors).map(([error_type, count]): Sample => {
          return [{ ...labelsOf(pipeline, stage), error_type }, count];
        }),
      ),
  },
  {
    name: 'pipeline_node_running_seconds_total',
    type: 'counter',
    help: 'How long the node (a source, fused group, operator or sink) used the thread.',
    of: ({ name, nodes }) => nodes.map((node) => [{ pipeline: name, node: node.name }, node.runningSeconds]),
  },
  {
    name: 'pipeline_node_service_seconds',
    type: 'histogram',
    help: 'How long items were in service in the node.',
    of: ({ name, nodes }) =>
      nodes.flatMap(({ name: node, service }) => {
        if (service === undefined) return [];
        const labels = { pipeline: name, node };
        return [
          ...service.buckets.map(({ belowSeconds, items }): Sample => {
            return [{ ...labels, le: String(belowSeconds) }, items, '_bucket'];
          }),
          [{ ...labels, le: '+Inf' }, service.items, '_bucket'] as const,
          [labels, service.seconds, '_sum'] as const,
          [labels, service.items, '_count'] as const,
        ];
      }),
  },
];

/** The content type of what {@link prometheusText} gives. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Writes a snapshot in the text format of Prometheus, version 0.0.4.
 *
 * All counters are totals since `observe()` and never fall; rates and percentiles are left to the server.
 *
 * @param snapshot - What `observed.snapshot()` gave.
 * @returns The text, with a newline at its end; empty where nothing has run.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `snapshot` is none.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @example Answer a scrape
 * ```ts
 * import { from } from '@millrace/core';
 * const observed = observe({ name: 'numbers' });
 * await from([1, 2, 3]).toArray({ observer: observed.observer });
 * const text = prometheusText(observed.snapshot());
 * assert.ok(text.includes('pipeline_stage_items_total{pipeline="numbers",stage="array",outcome="out"} 3\n'));
 * ```
 */
export function prometheusText(snapshot: Snapshot): string {
  checkSnapshot('prometheusText()', snapshot);
  let text = '';
  for (const { name, type, help, of } of FAMILIES) {
    const samples = snapshot.pipelines.flatMap(of);
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value, suffix = ''] of samples) {
      const pairs = Object.entries(labels).map(([label, of]) => `${label}="${escaped(of)}"`);
      text += `${name}${suffix}{${pairs.join(',')}} ${numeral(value)}\n`;
    }
  }
  return text;
}

function labelsOf({ name }: PipelineSnapshot, stage: StageSnapshot): Labels {
  return { pipeline: name, stage: stage.name };
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numeral(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
