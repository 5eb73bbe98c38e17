/**
 * Gives a thing that is to be moved, unless it is a buffer that was moved before: Node 20 posts such a one without an
 * error, and the message is then lost at the other end.
 */
export function attached(transferable: Transferable): Transferable {
  // SPEC: a view of a detached buffer throws a TypeError when it is made; nothing else about the buffer tells.
  if (transferable instanceof ArrayBuffer && transferable.byteLength === 0) new Uint8Array(transferable);
  return transferable;
}
