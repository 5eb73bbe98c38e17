export type { ParallelErrorCode } from './errors.js';
export { type ItemOf, type ParallelOptions, parallel, type ResultOf, type WorkerFunctions } from './parallel.js';
export { type WorkerModule, type WorkerModuleOptions, workerModule } from './worker-module.js';
