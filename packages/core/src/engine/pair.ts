import { StageError } from '../errors.js';
import { Execution } from './execution.js';
import { makePlan } from './planner.js';
import { readableOf } from './readable.js';
import { readerSource } from './reader-source.js';
import type { SourceReader, StageSpec } from './spec.js';

/** What one write waits with until the stage has worked on it. */
interface Offer {
  readonly item: unknown;
  resolve(): void;
  reject(reason: unknown): void;
}

/** Hands what is written to a native pair to the stage inside it: one item at a time, when it is asked for. */
class Handover implements SourceReader<unknown> {
  #offer: Offer | undefined;
  #taken: Offer | undefined;
  isEnded = false;
  #ask: ((items: readonly unknown[] | undefined) => void) | undefined;

  read(): readonly unknown[] | undefined | Promise<readonly unknown[] | undefined> {
    this.settle();
    if (this.#offer !== undefined) return this.#take();
    if (this.isEnded) return undefined;
    return new Promise((resolve) => {
      this.#ask = resolve;
    });
  }

  close(): void {}

  write(item: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#offer = { item, resolve, reject };
      this.#answer(() => this.#take());
    });
  }

  end(): void {
    this.isEnded = true;
    this.#answer(() => undefined);
  }

  /** The stage is done with the item it took. */
  settle(): void {
    this.#taken?.resolve();
    this.#taken = undefined;
  }

  fail(reason: unknown): void {
    this.#taken?.reject(reason);
    this.#offer?.reject(reason);
    this.#taken = this.#offer = undefined;
  }

  #take(): readonly unknown[] {
    const offer = this.#offer as Offer;
    this.#offer = undefined;
    this.#taken = offer;
    return [offer.item];
  }

  #answer(items: () => readonly unknown[] | undefined): void {
    const ask = this.#ask;
    this.#ask = undefined;
    ask?.(items());
  }
}

/**
 * Opens a stage as a native pair, as the Streams standard has transforms: it reads one item ahead on the writable side,
 * nothing on the readable side, and errors with the user's own error on both.
 */
export function openPair(specs: readonly StageSpec[]): {
  readable: ReadableStream<unknown>;
  writable: WritableStream<unknown>;
} {
  const handover = new Handover();
  const source = readerSource('writable', () => handover);
  const sink = { type: 'burst', name: 'readable', highWaterMark: 0, inService: 1 } as const;
  const options = { fuse: true, isTimed: false, maxInFlight: undefined, maxBytes: undefined, generate: true };
  const { outlet } = new Execution(makePlan([{ source, specs, sink }], options), {});
  let errorWritable: (reason: unknown) => void = () => {};
  const writable = new WritableStream<unknown>({
    start(controller) {
      errorWritable = (reason) => controller.error(reason);
    },
    write: (item) => handover.write(item),
    close: () => handover.end(),
    abort: (reason) => outlet.finish({ reason }),
  });
  outlet.closeSink = (failure) => {
    if (failure === undefined && handover.isEnded) return handover.settle();
    // SPEC: a transform that ends before its input does errors its writable side with a TypeError (§6.3.2, terminate).
    const reason = failure === undefined ? new TypeError('the stage has ended') : causeOf(failure.reason);
    handover.fail(reason);
    errorWritable(reason);
  };
  return { readable: readableOf(outlet, 0, causeOf, () => handover.settle()), writable };
}

function causeOf(reason: unknown): unknown {
  return reason instanceof StageError ? reason.cause : reason;
}
