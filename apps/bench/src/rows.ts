import { median } from './measure.js';
import type { Metric, Row } from './model.js';

/** What a row of whole programs is about. */
export interface RowOf {
  readonly suite: string;
  readonly name: string;
  readonly metric: Metric;
  readonly options: string;
}

/** Makes a row of Millrace's own figures. */
export function ownRow(of: RowOf, figures: readonly number[]): Row {
  return { ...common(of, '', figures), ...spread(figures), speed: null, value: median(figures) };
}

/** Makes a row that holds other figures against Millrace's, pair by pair. */
export function ratioRow(of: RowOf, against: string, others: readonly number[], own: readonly number[]): Row {
  const ratios = others.map((figure, at) => figure / (own[at] as number));
  return { ...common(of, against, ratios), ...spread(ratios), speed: median(ratios) };
}

function common({ suite, name, metric, options }: RowOf, against: string, figures: readonly number[]) {
  const runtime = `node ${process.versions.node}`;
  return {
    suite,
    case: name,
    condition: 'clean' as const,
    against,
    metric,
    runs: figures.length,
    runtime,
    options,
  };
}

function spread(figures: readonly number[]): { low: number; high: number } {
  return { low: Math.min(...figures), high: Math.max(...figures) };
}
