import type { PipelineSnapshot, Snapshot, StageSnapshot } from '../snapshot.js';
import { clip, formatItems, formatMs, widthOf } from './format.js';

interface Column {
  readonly title: string;
  /** Columns of a higher rank go first where there is no room. */
  readonly rank: number;
  of(stage: StageSnapshot, pipeline: PipelineSnapshot): string;
}

const LEAST_NAME = 12;
const MOST_NAME = 32;

const COLUMNS: readonly Column[] = [
  { title: 'in/s', rank: 5, of: (stage) => formatItems(stage.inPerSecond) },
  { title: 'out/s', rank: 0, of: (stage) => formatItems(stage.outPerSecond) },
  { title: 'waiting', rank: 1, of: (stage) => share(stage.waiting, stage.highWaterMark) },
  { title: 'inside', rank: 2, of: (stage) => share(stage.inside, stage.capacity) },
  { title: 'p50', rank: 6, of: (stage, pipeline) => time(stage, pipeline, 'p50Ms') },
  { title: 'p99', rank: 4, of: (stage, pipeline) => time(stage, pipeline, 'p99Ms') },
  { title: 'total out', rank: 7, of: (stage) => formatItems(stage.counts.out) },
  { title: 'lost', rank: 8, of: ({ counts }) => some(counts.dropped + counts.deadLettered + counts.abandoned) },
  { title: 'errors', rank: 3, of: (stage) => some(errorsOf(stage)) },
];

/** Lays a snapshot out as lines of at most `width` columns. */
export function tableOf(snapshot: Snapshot, width: number): string[] {
  return snapshot.pipelines.flatMap((pipeline) => [clip(headOf(pipeline), width), ...rowsOf(pipeline, width)]);
}

/** Says what a pipeline is at, in one line. */
export function headOf({ name, state, inFlight, inFlightBound, stages }: PipelineSnapshot): string {
  const errors = stages.reduce((sum, stage) => sum + errorsOf(stage), 0);
  const rate = formatItems(stages[0]?.outPerSecond ?? 0);
  const inside = `${formatItems(inFlight)} of ${formatItems(inFlightBound)} inside`;
  return `${name}: ${state}, ${rate}/s read, ${inside}${errors > 0 ? `, ${formatItems(errors)} errors` : ''}`;
}

function rowsOf(pipeline: PipelineSnapshot, width: number): string[] {
  const { stages } = pipeline;
  const cells = COLUMNS.map(({ title, rank, of }) => {
    const texts = [title, ...stages.map((stage) => of(stage, pipeline))];
    return { rank, texts, width: Math.max(...texts.map(widthOf)) };
  });
  const most = Math.max(LEAST_NAME, Math.min(MOST_NAME, width >> 1));
  const names = Math.min(most, Math.max(LEAST_NAME, ...stages.map(({ name }) => widthOf(name) + 2)));
  const taken = new Set<(typeof cells)[number]>();
  let left = width - names;
  for (const cell of [...cells].sort((a, b) => a.rank - b.rank)) {
    left -= cell.width + 2;
    if (left < 0) break;
    taken.add(cell);
  }
  const shown = cells.filter((cell) => taken.has(cell));
  return ['', ...stages.map(({ name }) => name)].map((name, at) => {
    const title = clip(`  ${name}`, names);
    const texts = shown.map(
      (cell) => `  ${' '.repeat(cell.width - widthOf(cell.texts[at] as string))}${cell.texts[at]}`,
    );
    return clip(`${title}${' '.repeat(names - widthOf(title))}${texts.join('')}`.trimEnd(), width);
  });
}

/** The time is that of the whole node, and shown beside its first stage. */
function time(stage: StageSnapshot, { stages, nodes }: PipelineSnapshot, which: 'p50Ms' | 'p99Ms'): string {
  if (stages.find(({ node }) => node === stage.node) !== stage) return '';
  const window = nodes[stage.node]?.service?.window;
  return window === undefined ? '' : formatMs(window[which]);
}

function share(items: number, room: number): string {
  if (room === 0) return some(items);
  return `${formatItems(items)}/${formatItems(room)}`;
}

function some(items: number): string {
  return items === 0 ? '' : formatItems(items);
}

function errorsOf({ errors }: StageSnapshot): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}
