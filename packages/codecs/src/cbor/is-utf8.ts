/**
 * Whether bytes are UTF-8: no overlong forms, no surrogates, no cut sequences.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3629#section-4
 */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    const first = bytes[at++] as number;
    if (first < 0x80) continue;
    const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (first < 0xc2 || first > 0xf4 || at + more > to) return false;
    const second = bytes[at] as number;
    const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    for (let k = 1; k < more; k++) if (((bytes[at + k] as number) & 0xc0) !== 0x80) return false;
    at += more;
  }
  return true;
}
