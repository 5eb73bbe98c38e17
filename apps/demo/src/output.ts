/** A stream of text that may be closed by its reader, or full, at any time. */
export class Output {
  readonly #stream: NodeJS.WritableStream;
  #error: NodeJS.ErrnoException | undefined;

  /**
   * @param stream - Standard output, say.
   * @param onFailed - Is called once, when nothing more can be written.
   */
  constructor(stream: NodeJS.WritableStream, onFailed: () => void) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#error !== undefined) return;
      this.#error = error;
      onFailed();
    });
  }

  /** Why nothing more can be written, if so. */
  get error(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  /** Whether the reader has closed its end, as `head` does when it has seen enough. */
  get isClosedByReader(): boolean {
    return this.#error?.code === 'EPIPE';
  }

  /** Writes and waits until it is out, or is known not to be; then {@link Output.error} says why. */
  write(text: string): Promise<void> {
    if (this.#error !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      // The error itself comes to the listener above, before or after this callback.
      this.#stream.write(text, () => setImmediate(resolve));
    });
  }
}
