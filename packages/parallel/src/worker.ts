export type { WorkerContext } from './worker/context.js';
export { type Transferred, transferred } from './worker/transferred.js';
