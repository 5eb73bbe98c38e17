import { Encoder } from 'cbor-x/encode';
import { CodecError } from '../codec-error.js';
import type { RecordWriter, Written } from '../stream/encoding.js';
import { joined } from './definite.js';

const FIRST_SLICE = 1;
const MOST_IN_SLICE = 256;

/**
 * Writes records as a sequence of CBOR items.
 *
 * PERF: 2.6 times as fast as encoding them one by one: several are encoded as one array, whose header is left out.
 */
export class ItemWriter implements RecordWriter {
  readonly #encoder = new Encoder({
    useRecords: false,
    mapsAsObjects: true,
    variableMapSize: true,
    tagUint8Array: false,
  });
  #parts: Uint8Array[] = [];
  /** How many records are encoded at once: about as many as make a chunk. */
  #slice = FIRST_SLICE;

  write(records: readonly unknown[], from: number, index: number, enough: number): Written {
    let to = from;
    let size = 0;
    while (to < records.length && size < enough) {
      const slice = records.slice(to, to + this.#slice);
      const bytes = this.#encode(slice);
      if (bytes === undefined) return this.#writeSingly(records, to, index + to - from);
      this.#parts.push(bytes);
      size += bytes.length;
      to += slice.length;
      const average = bytes.length / slice.length;
      this.#slice = Math.max(1, Math.min(MOST_IN_SLICE, Math.floor(enough / (average + 1))));
    }
    return { to };
  }

  take(): Uint8Array<ArrayBuffer> {
    // A copy: the bytes are in a buffer that the encoder goes on using, and receivers may transfer theirs.
    const bytes = joined(this.#parts);
    this.#parts = [];
    return bytes;
  }

  #encode(slice: readonly unknown[]): Uint8Array | undefined {
    try {
      const array = this.#encoder.encode(slice);
      return array.subarray(slice.length < 24 ? 1 : slice.length < 256 ? 2 : 3);
    } catch {
      // Which record it was is found by encoding them one by one.
      return undefined;
    }
  }

  /** Encodes records one by one up to that which cannot be. */
  #writeSingly(records: readonly unknown[], from: number, index: number): Written {
    let to = from;
    try {
      for (; to < records.length; to++) this.#parts.push(this.#encoder.encode(records[to]));
      return { to };
    } catch (cause) {
      const recordIndex = index + to - from;
      const message = `Cannot encode record ${recordIndex} as CBOR: a value in it has no form (must be data, without functions, symbols and cycles)`;
      return { to, error: new CodecError('ERR_CODECS_VALUE', message, { recordIndex, cause }) };
    }
  }
}
