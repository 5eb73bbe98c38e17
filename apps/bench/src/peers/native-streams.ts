import { type OnStreams, onStreams } from './web-streams.js';

/** The work on the native streams of the runtime. */
export const nativeStreams: OnStreams = onStreams({ ReadableStream, TransformStream, WritableStream });
