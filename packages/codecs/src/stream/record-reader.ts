import type { CodecError } from '../codec-error.js';

/** A record that could not be decoded. */
export interface Rejected {
  readonly error: CodecError;
  /** The bytes of the record as far as they are known, for a dead letter; they are the receiver's own. */
  item(): Uint8Array;
  /** Whether nothing behind it can be decoded either, since it is unknown where the next record begins. */
  readonly isFatal: boolean;
}

/** Turns chunks into records; it does so when it is asked, and has no more of them decoded than it is asked for. */
export interface RecordReader<T> {
  /** Takes the next chunk; all records of the one before have been read. */
  push(chunk: Uint8Array): void;
  /** Says that there are no more chunks. */
  end(): void;
  /**
   * Appends records to `records` until `max` are there or the bytes are used up.
   *
   * @returns The record at which it stopped, if one could not be decoded.
   */
  read(records: T[], max: number): Rejected | undefined;
}
