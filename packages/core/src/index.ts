// Errors
export { argumentError, type CoreErrorCode, PipelineError, type PipelineErrorOptions } from './errors.js';
