export {
  assertConforms,
  type ConformOptions,
  type ConformReport,
  conform,
  type LawResult,
  type StageFactory,
  type UserFunction,
} from './conform.js';
export { type SinkProbe, sinkProbe } from './sink-probe.js';
export { type SourceProbe, sourceProbe } from './source-probe.js';
export { type VirtualClock, virtualClock } from './virtual-clock.js';
