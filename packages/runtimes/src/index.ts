export { findRuntime, type Runtime } from './find-runtime.js';
export { PINNED, type PinnedRuntime } from './pinned.js';
export { UnknownRuntimeError } from './unknown-runtime-error.js';
