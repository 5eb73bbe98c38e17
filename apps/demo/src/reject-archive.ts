import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cbor } from '@millrace/codecs';
import { channel, type DeadLetter, type DeadLetterOffice, deadLetter, type Sink } from '@millrace/core';
import { DataError } from './data.js';
import type { Flight, FlightFault } from './night/flight.js';

/** What the archive has of an impossible flight. */
export interface Reject extends Flight {
  /** What is wrong with it. */
  readonly fault: FlightFault;
  /** How many flights were read before it. */
  readonly index: number;
}

/** What the archive has of a client's record that is no flight. */
export interface RejectedRecord {
  /** What is wrong with it. */
  readonly fault: string;
  /** How many records of its body came before it. */
  readonly index: number;
  /** Where it began in its body. */
  readonly byteOffset: number;
  /** Its bytes, as far as they are known. */
  readonly record: Uint8Array;
}

/** Where the impossible flights go: a file that is a CBOR sequence. */
export interface RejectArchive {
  readonly path: string;
  readonly office: DeadLetterOffice<Flight>;
  /** Takes a client's record, and waits where the file is slow. */
  keep(record: RejectedRecord): Promise<void>;
  /** Waits until all of it is in the file. */
  close(): Promise<void>;
}

/** Where the archive is by default: beside the program, so that there is one, of the last run. */
export const REJECTS_PATH: string = fileURLToPath(new URL('../rejects.cborseq', import.meta.url));

// What one burst of the encoder takes: a feed of nothing else is written in chunks, not flight by flight.
const WAITING_REJECTS = 256;

/**
 * Opens the archive, and empties it.
 *
 * The letters go through a channel into a pipeline of their own; where its file is slow, `deadLetter()` waits.
 *
 * @param path - The file; one that is there is overwritten.
 * @throws DataError when it cannot be opened.
 */
export async function openRejectArchive(path: string = REJECTS_PATH): Promise<RejectArchive> {
  const file = await open(path, 'w').catch((error: unknown) => {
    throw problem(path, error);
  });
  const { sender, receiver } = channel<Reject | RejectedRecord>(WAITING_REJECTS);
  const { finished } = receiver.pipeThrough(cbor.encode()).run(fileSink(file));
  // It is waited for where a letter cannot be sent, and at the end.
  finished.catch(() => {});
  const failure = (): Promise<never> =>
    finished.then(
      () => Promise.reject(problem(path, 'it is closed')),
      (error: Error) => Promise.reject(problem(path, error.cause ?? error)),
    );
  async function keep(reject: Reject | RejectedRecord): Promise<void> {
    try {
      await sender.send(reject);
    } catch {
      // The channel is closed because the file failed, which says more.
      await failure();
    }
  }
  const letters = new WritableStream<DeadLetter<Flight>>({
    write: ({ error, index, item }) => keep({ fault: error as FlightFault, index, ...plain(item) }),
  });
  return {
    path,
    office: deadLetter(letters),
    keep,
    async close() {
      sender.close();
      await finished.catch(failure);
    },
  };
}

/** Makes an object whose values are its own, whatever the flight is. */
function plain({ departureWallMs, delayMinutes, distanceMiles, origin, destination }: Flight): Flight {
  return { departureWallMs, delayMinutes, distanceMiles, origin, destination };
}

function fileSink(file: FileHandle): Sink<Uint8Array> {
  return {
    name: 'rejects',
    open: () => ({
      async write(chunks) {
        for (const chunk of chunks) await file.writeFile(chunk);
      },
      close: () => file.close(),
      abort: () => file.close(),
    }),
  };
}

function problem(path: string, cause: unknown): DataError {
  const what = cause instanceof Error ? cause.message.split(',')[0] : String(cause);
  return new DataError(
    `Cannot write the rejected flights to "${path}": ${what} (it must be a file that can be written)`,
    {
      cause,
    },
  );
}
