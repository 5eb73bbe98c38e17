import { CodecError, cbor, gunzip, ndjson, type StandardSchema } from '@millrace/codecs';
import { type DeadLetter, deadLetter, type Pipeline, type Sink, type Stage, StageError } from '@millrace/core';
import { codeColumn, type FlightRows } from '../flights.js';
import type { Flight } from '../night/flight.js';
import { StoppedError } from './body.js';
import { type Receipt, ReceiptBook, rejectionOf } from './receipt.js';
import type { Turns } from './turns.js';

/** How a body is written. */
export interface BodyFormat {
  readonly records: 'ndjson' | 'cbor';
  readonly isGzip: boolean;
}

/** What became of a body. */
export interface Received {
  /** The status of HTTP that says so. */
  readonly status: number;
  readonly receipt: Receipt;
}

const ACCEPTED = 202;
const BAD_REQUEST = 400;
const TOO_LARGE = 413;
const UNAVAILABLE = 503;
/** A flight has about 90 bytes. */
const MAX_RECORD_BYTES = 65_536;
/** Flights offered at a time, at most; a chunk of 64 KiB holds about 700. */
const GROUP_FLIGHTS = 1_024;

/**
 * Takes in the flights of a body, as fast as their turns come. A record that is no flight is rejected alone; what cannot be
 * read any further ends the body there. It never rejects: how it ended is in the receipt.
 */
export async function receive(
  chunks: Pipeline<Uint8Array>,
  { records, isGzip }: BodyFormat,
  schema: StandardSchema<Flight>,
  turns: Turns,
): Promise<Received> {
  const book = new ReceiptBook();
  let lastRejected: CodecError | undefined;
  async function reject(error: CodecError, record: Uint8Array): Promise<void> {
    lastRejected = error;
    const rejection = rejectionOf(error);
    const { reason: fault, index, byteOffset } = rejection;
    if (!(await turns.reject({ fault, index, byteOffset, record }))) throw new StoppedError();
    book.reject(rejection);
  }

  const bytes = isGzip ? chunks.pipeThrough(gunzip()) : chunks;
  try {
    await bytes.pipeThrough(decoder(records, schema, reject)).run(into(turns, book)).finished;
    return { status: ACCEPTED, receipt: book.receipt() };
  } catch (failure) {
    const cause = failure instanceof StageError ? failure.cause : failure;
    // Where a record has no end that could be found, its bytes are not known either.
    if (cause instanceof CodecError && cause !== lastRejected) await reject(cause, NO_BYTES).catch(() => {});
    return { status: statusOf(cause), receipt: book.receipt(messageOf(cause)) };
  }
}

const NO_BYTES = new Uint8Array(0);

function statusOf(cause: unknown): number {
  if (cause instanceof StoppedError) return UNAVAILABLE;
  const code = cause instanceof CodecError ? cause.code : undefined;
  return code === 'ERR_CODECS_SIZE' || code === 'ERR_CODECS_DEPTH' ? TOO_LARGE : BAD_REQUEST;
}

function messageOf(cause: unknown): string {
  if (cause instanceof StoppedError || cause instanceof CodecError) return cause.message;
  return `Cannot read the body: ${cause instanceof Error ? cause.message : String(cause)}`;
}

function decoder(
  records: BodyFormat['records'],
  schema: StandardSchema<Flight>,
  reject: (error: CodecError, record: Uint8Array) => Promise<void>,
): Stage<Uint8Array, Flight> {
  const onError = deadLetter<Uint8Array>(
    new WritableStream<DeadLetter<Uint8Array>>({
      async write({ error, item }) {
        await reject(error as CodecError, item);
        // A line that is too long may have no end.
        if ((error as CodecError).code === 'ERR_CODECS_SIZE') throw error;
      },
    }),
  );
  const options = { schema, onError, maxRecordBytes: MAX_RECORD_BYTES };
  return records === 'ndjson' ? ndjson.decode(options) : cbor.decode({ ...options, int64: 'number' });
}

/** Offers bursts of flights, and takes no more from the body until one has had its turn. */
function into(turns: Turns, book: ReceiptBook): Sink<Flight> {
  return {
    name: 'turns',
    highWaterMark: 0,
    maxBurst: GROUP_FLIGHTS,
    open: () => ({
      async write(flights) {
        const taken = await turns.offer(rowsOf(flights));
        book.accepted += taken;
        if (taken < flights.length) throw new StoppedError();
      },
    }),
  };
}

function rowsOf(flights: readonly Flight[]): FlightRows {
  const rowCount = flights.length;
  const date = new Float64Array(rowCount);
  const delay = new Int32Array(rowCount);
  const distance = new Int32Array(rowCount);
  for (const [row, flight] of flights.entries()) {
    date[row] = flight.departureWallMs;
    delay[row] = flight.delayMinutes;
    distance[row] = flight.distanceMiles;
  }
  const origin = codeColumn(flights.map((flight) => flight.origin));
  const destination = codeColumn(flights.map((flight) => flight.destination));
  return { rowCount, columns: { date, delay, distance, origin, destination } };
}
