import { openPair } from '../engine/pair.js';
import { type Stage, stageOf } from '../engine/stage.js';
import { type ForeignPair, Through } from '../engine/through.js';

/** What a foreign transform is called, and how one is made. */
export interface ForeignOptions<I, O> {
  /** What the stage is called in errors, plans and figures. */
  readonly name: string;
  /** Makes the pair; called once for each run. */
  open(): { readonly readable: ReadableStream<O>; readonly writable: WritableStream<I> };
}

/**
 * Makes a stage of a foreign transform, such as a `CompressionStream`, with a new pair for each run.
 *
 * A pair given to `pipeThrough()` as it is serves one run; a stage serves any number. What is inside the transform cannot
 * be counted: what goes in ends there, and what comes out is made there.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @param options - The name, and `open`.
 * @returns A stage from `I` to `O`.
 * @remarks Elsewhere: RxJS –; Rust –; Akka `Flow.fromProcessor`; Node `Duplex.fromWeb`.
 *
 * @example Text of bytes
 * ```ts
 * import { foreign } from '@millrace/core/authoring';
 * const text = foreign<Uint8Array<ArrayBuffer>, string>({ name: 'text', open: () => new TextDecoderStream() });
 * assert.deepEqual(await from([new Uint8Array([104, 105])]).pipeThrough(text).toArray(), ['hi']);
 * ```
 */
export function foreign<I, O>(options: ForeignOptions<I, O>): Stage<I, O> {
  const { name, open } = options;
  return stageOf(
    {
      type: 'operator',
      name,
      highWaterMark: 0,
      inService: 1,
      detail: 'being written',
      isForeign: true,
      weight: 'one',
      open: (upstream, context) => new Through(open() as unknown as ForeignPair, upstream, context),
    },
    openPair,
  );
}
