import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Sql } from 'postgres';

/** How many flights go into the database at a time, as in the demo. */
const BATCH = 5_000;
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** The lengths of the values: departure, delay, distance, origin, destination, miles in the dark. */
const LENGTHS = [8, 4, 4, 3, 3, 8];
const ROW_BYTES = 56;
/** From 1970 to 2000, in milliseconds. */
const EPOCH_MS = 946_684_800_000;
/** What one write to the socket takes well. */
const CHUNK_BYTES = 65_536;

/** Writes flights into their table by binary COPY, one for each batch; the next is filled while the last is stored. */
export class FlightCopy {
  readonly #sql: Sql;
  readonly #codes: readonly string[];
  /** The codes of the airports, as three bytes and the first of the length behind them, which is 0. */
  readonly #packed: number[] = [];
  #filling = laidOut();
  #other = laidOut();
  #view = viewOf(this.#filling);
  #rows = 0;
  #stored = 0;
  #storing: Promise<void> = Promise.resolve();

  /** @param codes - Of the airports by their numbers; it may grow. */
  constructor(sql: Sql, codes: readonly string[]) {
    this.#sql = sql;
    this.#codes = codes;
  }

  get isFull(): boolean {
    return this.#rows === BATCH;
  }

  /** Adds a flight; says whether that was the last there is room for. */
  add(dateMs: number, delay: number, miles: number, origin: number, destination: number, nightMiles: number): boolean {
    const view = this.#view;
    const at = HEADER.length + this.#rows * ROW_BYTES;
    const microseconds = (dateMs - EPOCH_MS) * 1_000;
    const high = Math.floor(microseconds / 4_294_967_296);
    view.setInt32(at + 6, high);
    view.setUint32(at + 10, microseconds - high * 4_294_967_296);
    view.setInt32(at + 18, delay);
    view.setInt32(at + 26, miles);
    view.setInt32(at + 34, this.#packed[origin] ?? this.#pack(origin));
    view.setInt32(at + 41, this.#packed[destination] ?? this.#pack(destination));
    view.setFloat64(at + 48, nightMiles);
    return ++this.#rows === BATCH;
  }

  /** Begins to store what was added, once the batch before is stored. */
  async send(): Promise<void> {
    const bytes = this.#filling;
    const rows = this.#rows;
    this.#filling = this.#other;
    this.#other = bytes;
    this.#view = viewOf(this.#filling);
    this.#rows = 0;
    await this.#storing;
    this.#storing = this.#store(bytes, rows);
    // Who waits for it comes later.
    this.#storing.catch(() => {});
  }

  /** Stores what is left; gives how many flights were stored. */
  async finish(): Promise<number> {
    if (this.#rows > 0) await this.send();
    await this.#storing;
    return this.#stored;
  }

  async #store(bytes: Buffer, rows: number): Promise<void> {
    const end = HEADER.length + rows * ROW_BYTES;
    const next = bytes.readInt16BE(end);
    bytes.writeInt16BE(-1, end);
    const copy: Writable = await this.#sql`copy flight from stdin (format binary)`.writable();
    for (let at = 0; at < end + 2; at += CHUNK_BYTES) {
      copy.write(bytes.subarray(at, Math.min(at + CHUNK_BYTES, end + 2)));
    }
    copy.end();
    await once(copy, 'finish');
    bytes.writeInt16BE(next, end);
    this.#stored += rows;
  }

  #pack(airport: number): number {
    const code = this.#codes[airport] ?? '';
    if (!/^[A-Z0-9]{3}$/.test(code)) throw new RangeError(`Cannot write "${code}" by hand (must be three letters)`);
    const packed = Buffer.from(`${code}\0`).readInt32BE();
    this.#packed[airport] = packed;
    return packed;
  }
}

/** A batch in which only the values are missing. */
function laidOut(): Buffer {
  const bytes = Buffer.alloc(HEADER.length + BATCH * ROW_BYTES + 2);
  HEADER.copy(bytes);
  for (let row = 0; row < BATCH; row++) {
    let at = bytes.writeInt16BE(LENGTHS.length, HEADER.length + row * ROW_BYTES);
    for (const length of LENGTHS) at = bytes.writeInt32BE(length, at) + length;
  }
  return bytes;
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
