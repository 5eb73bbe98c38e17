import { CodecError } from '../codec-error.js';
import type { RecordWriter, Written } from '../stream/encoding.js';

const encoder = new TextEncoder();

/** Writes records as lines of JSON. */
export class LineWriter implements RecordWriter {
  #text = '';

  write(records: readonly unknown[], from: number, index: number, enough: number): Written {
    let text = '';
    let to = from;
    try {
      for (; to < records.length && text.length < enough; to++) {
        const line = JSON.stringify(records[to]);
        if (line === undefined) return { to, error: this.#unencodable(index + to - from) };
        text += `${line}\n`;
      }
      return { to };
    } catch (cause) {
      return { to, error: this.#unencodable(index + to - from, cause) };
    } finally {
      this.#text = text;
    }
  }

  take(): Uint8Array<ArrayBuffer> {
    const bytes = encoder.encode(this.#text);
    this.#text = '';
    return bytes;
  }

  #unencodable(recordIndex: number, cause?: unknown): CodecError {
    const message = `Cannot encode record ${recordIndex} as NDJSON: JSON has no form for it (must be what JSON.stringify() takes)`;
    return new CodecError('ERR_CODECS_VALUE', message, { recordIndex, cause });
  }
}
