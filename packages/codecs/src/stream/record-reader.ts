import type { CodecError } from '../codec-error.js';

/** A record that could not be decoded. */
export interface Rejected {
  readonly error: CodecError;
  /** The bytes of the record as far as they are known, for a dead letter; they are the receiver's own. */
  item(): Uint8Array;
  /** Whether nothing behind it can be decoded either, since it is unknown where the next record begins. */
  readonly isFatal: boolean;
}

/** What a checkpoint keeps of a reader: where it is in the stream, and the beginning of a record whose end is still to come. */
export interface SavedReader {
  readonly offset: number;
  readonly recordIndex: number;
  readonly carry: Uint8Array;
  readonly carryOffset: number;
  /** Whether what comes next is the rest of a record that is passed over. */
  readonly isPassing: boolean;
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
  /** Gives what a checkpoint keeps: the reader has read all that it was given, but for a record that goes on in the next chunk. */
  save(): SavedReader;
  /** Goes on from what `save()` gave, before the first chunk. */
  restore(saved: SavedReader): void;
}
