export {
  assertConforms,
  type ConformOptions,
  type ConformReport,
  conform,
  type LawResult,
  type StageFactory,
  type UserFunction,
} from './conform.js';
export { type Exploration, type ExploreOptions, explore, InterleavingError } from './explore.js';
export { crashing } from './faults/crashing.js';
export { failing } from './faults/failing.js';
export type { Fault, FaultCall, FaultOptions } from './faults/fault.js';
export { faultyFunction } from './faults/faulty-function.js';
export { faultySink } from './faults/faulty-sink.js';
export { faultySource } from './faults/faulty-source.js';
export { hanging } from './faults/hanging.js';
export { slow } from './faults/slow.js';
export type { MarbleSource } from './marbles/marble-source.js';
export { type Marbles, type MarblesOptions, marbles } from './marbles/marbles.js';
export type { Schedule } from './schedule.js';
export { type SinkProbe, sinkProbe } from './sink-probe.js';
export { type SourceProbe, sourceProbe } from './source-probe.js';
export { type PendingTimer, type UntilOptions, type VirtualClock, virtualClock } from './virtual-clock.js';
