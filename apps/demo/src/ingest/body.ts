import type { IncomingMessage } from 'node:http';
import type { Pipeline } from '@millrace/core';
import { type SourceReader, source } from '@millrace/core/authoring';

/** The reason for which a body is read no further: nothing more is taken. */
export class StoppedError extends Error {
  override name = 'StoppedError';

  constructor() {
    super('Cannot take the body to its end: no more flights are taken (ask again when the demo runs anew)');
  }
}

/**
 * Begins a pipeline with the chunks of a request's body. A chunk is read when it is asked for, so that a slow pipeline
 * fills the socket, and the client waits. Where the client leaves in the middle, the chunks end there:
 * `request.complete` tells the difference.
 *
 * @param request - A request whose body nobody has read; it is left open.
 * @param closed - When it aborts, a body that goes on fails with {@link StoppedError}.
 */
export function chunksOf(request: IncomingMessage, closed: AbortSignal): Pipeline<Uint8Array> {
  return source<Uint8Array>({ name: 'body', open: () => new BodyReader(request, closed) });
}

const WAIT = Symbol('wait');
const EVENTS = ['readable', 'end', 'error', 'close'] as const;

class BodyReader implements SourceReader<Uint8Array> {
  readonly #request: IncomingMessage;
  readonly #closed: AbortSignal;
  #pending: { resolve(chunks: Uint8Array[] | undefined): void; reject(error: unknown): void } | undefined;

  constructor(request: IncomingMessage, closed: AbortSignal) {
    this.#request = request;
    this.#closed = closed;
    for (const event of EVENTS) request.on(event, this.#onEvent);
    closed.addEventListener('abort', this.#onClosed);
  }

  read(): Uint8Array[] | undefined | Promise<Uint8Array[] | undefined> {
    const chunks = this.#next();
    if (chunks !== WAIT) return chunks;
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
  }

  close(): void {
    for (const event of EVENTS) this.#request.off(event, this.#onEvent);
    this.#closed.removeEventListener('abort', this.#onClosed);
    this.#pending?.resolve(undefined);
  }

  #next(): Uint8Array[] | undefined | typeof WAIT {
    const request = this.#request;
    const isOver = request.complete && request.readableLength === 0;
    if (this.#closed.aborted && !isOver) throw new StoppedError();
    const chunk: Uint8Array | null = request.read();
    if (chunk !== null) return [chunk];
    return isOver || request.readableEnded || request.destroyed ? undefined : WAIT;
  }

  // The last chunk of a body comes a moment before the news that it is the last.
  readonly #onClosed = (): void => void setImmediate(this.#onEvent);

  readonly #onEvent = (): void => {
    const pending = this.#pending;
    if (pending === undefined) return;
    try {
      const chunks = this.#next();
      if (chunks === WAIT) return;
      this.#pending = undefined;
      pending.resolve(chunks);
    } catch (error) {
      this.#pending = undefined;
      pending.reject(error);
    }
  };
}
