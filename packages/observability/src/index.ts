export { type Logger, type LogRunOptions, logRun, type RunLog } from './log-run.js';
export { type Observed, type ObserveOptions, observe, type Watcher } from './observe.js';
export { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus-text.js';
export type {
  ErrorSnapshot,
  NodeSnapshot,
  Percentiles,
  PipelineSnapshot,
  PipelineState,
  ServiceSnapshot,
  Snapshot,
  StageSnapshot,
} from './snapshot.js';
export { type Top, type TopOptions, type TopStream, top } from './top.js';
