import { FastReadableStream, FastTransformStream, FastWritableStream } from 'experimental-fast-webstreams';
import { type OnStreams, onStreams, type Streams } from './web-streams.js';

// Its types leave byte streams out, which are not used here.
const streams = {
  ReadableStream: FastReadableStream,
  TransformStream: FastTransformStream,
  WritableStream: FastWritableStream,
} as unknown as Streams;

/** The work on experimental-fast-webstreams. */
export const fastWebstreams: OnStreams = onStreams(streams);
