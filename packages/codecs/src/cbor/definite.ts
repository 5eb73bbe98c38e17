const BREAK = 0xff;
const INDEFINITE_BYTES = 0x5f;
const INDEFINITE_TEXT = 0x7f;

/**
 * Rewrites an item so that its strings of indefinite length have definite ones, since cbor-x takes no others.
 *
 * @param item - One item that the scanner has found well-formed.
 * @see https://www.rfc-editor.org/rfc/rfc8949#section-3.2.3
 */
export function definite(item: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  /** Where what is not in `parts` yet begins. */
  let from = 0;
  let at = 0;
  while (at < item.length) {
    const initial = item[at] as number;
    if (initial !== INDEFINITE_BYTES && initial !== INDEFINITE_TEXT) {
      at = extent(item, at).end;
      continue;
    }
    const header = new Uint8Array(5);
    parts.push(item.subarray(from, at), header);
    let length = 0;
    for (at++; item[at] !== BREAK; ) {
      const { body, end } = extent(item, at);
      parts.push(item.subarray(body, end));
      length += end - body;
      at = end;
    }
    // A length of four bytes: the shortest form is not required.
    header[0] = initial - 5;
    new DataView(header.buffer).setUint32(1, length);
    from = ++at;
  }
  parts.push(item.subarray(from));
  return joined(parts);
}

/** Where the header at `at` ends, and the string behind it, if it is one's. */
function extent(item: Uint8Array, at: number): { readonly body: number; readonly end: number } {
  const initial = item[at] as number;
  const major = initial >> 5;
  const info = initial & 31;
  const size = info < 24 || info === 31 ? 0 : 1 << (info - 24);
  const body = at + 1 + size;
  if (major !== 2 && major !== 3) return { body, end: body };
  let length = size === 0 ? info : 0;
  for (let k = at + 1; k < body; k++) length = length * 256 + (item[k] as number);
  return { body, end: body + length };
}

/** Joins byte arrays. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
