export { inSpan, type SpanOptions, spanned, spannedSink } from './open-telemetry.js';
