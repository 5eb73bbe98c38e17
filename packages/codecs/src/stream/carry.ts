const FIRST_BYTES = 1024;

/** The beginning of a record whose end is in a later chunk. It grows by doubling, so that any split costs linear time. */
export class Carry {
  #buffer: Uint8Array = new Uint8Array(0);
  length = 0;

  /** What there is so far; valid until the next `append()` or `clear()`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  /** Appends `chunk[from … to)`. The caller has checked that as much may be kept. */
  append(chunk: Uint8Array, from: number, to: number): void {
    const needed = this.length + to - from;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(FIRST_BYTES, needed, this.#buffer.length * 2));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), this.length);
    this.length = needed;
  }

  /** Hands over what there is, as bytes of its own, and begins anew. */
  take(): Uint8Array {
    const taken = this.#buffer.slice(0, this.length);
    this.clear();
    return taken;
  }

  clear(): void {
    this.length = 0;
    // One long record must not hold its memory for the rest of the stream.
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = new Uint8Array(0);
  }
}

const KEPT_BYTES = 1_048_576;
