export { type Observed, type ObserveOptions, observe, type Watcher } from './observe.js';
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
