import type { SizeOf } from '../engine/scale.js';
import { checkCount, checkFunction, wrongType } from '../internal/arguments.js';

/**
 * How much may wait before a stage or a sink: so many items, or items of so much weight.
 *
 * With a `size` the edge reads ahead one item at a time while what waits weighs less than `highWaterMark`: what waits is
 * above it by less than the last item, and an item that is heavier than the mark waits alone. An item weighs 1 at least,
 * so that the mark bounds the items too.
 *
 * @typeParam I - What comes in.
 *
 * @example At most 64 KiB, and what is left of one chunk, wait before an upload
 * ```ts
 * const upload = async (chunk: Uint8Array) => chunk.byteLength;
 * const bytes = new ByteLengthQueuingStrategy({ highWaterMark: 65_536 });
 * const uploads = from([new Uint8Array(10)]).pipeThrough(mapAsync(upload, { highWaterMark: bytes, name: 'upload' }));
 * assert.ok(String(uploads.explain()).includes('upload edge: 65,536 by size'));
 * assert.deepEqual(await uploads.toArray(), [10]);
 * ```
 */
export interface EdgeOptions<I> {
  /**
   * How many items may wait before it, beyond those in service; with a `size`, how much they may weigh. A queuing
   * strategy of the Streams standard says both: `new ByteLengthQueuingStrategy({ highWaterMark: 65_536 })`.
   */
  readonly highWaterMark?: number | QueuingStrategy<I>;
  /** What an item weighs: a finite number of 0 or more, such as its bytes. Default: every item counts as one. */
  readonly size?: (item: I) => number;
}

/** An edge as the engine has it. */
export interface EdgeMark {
  /** How much may wait. */
  readonly highWaterMark: number;
  /** What an item weighs; without one each counts as 1. */
  readonly size: SizeOf | undefined;
}

/** The options of an edge among others; one that is `undefined` counts as not given. */
export type GivenEdge = { readonly [K in keyof EdgeOptions<never>]: EdgeOptions<never>[K] | undefined };

/**
 * Reads the options of an edge, of a stage or a sink, and refuses wrong ones by name.
 *
 * @param where - The name of the function that they were given to.
 * @param options - Its options, `highWaterMark` and `size` among them.
 * @returns The mark; `undefined` where none is given.
 *
 * @example The edge of a stage of one's own
 * ```ts
 * import { edgeMark } from '@millrace/core/authoring';
 * const { highWaterMark, size } = edgeMark('mine()', { highWaterMark: new CountQueuingStrategy({ highWaterMark: 8 }) }) ?? {};
 * assert.deepEqual([highWaterMark, size?.('any')], [8, 1]);
 * ```
 */
export function edgeMark(where: string, options: GivenEdge): EdgeMark | undefined {
  const { highWaterMark, size } = options;
  if (typeof highWaterMark === 'object' && highWaterMark !== null) {
    if (size !== undefined)
      throw wrongType(where, 'size', size, 'left out beside a queuing strategy, which has its own');
    return strategyMark(where, 'highWaterMark', highWaterMark);
  }
  if (size !== undefined) checkFunction(where, 'size', size);
  if (highWaterMark !== undefined) {
    checkCount(where, 'highWaterMark', highWaterMark, 0);
    return { highWaterMark, size: size as SizeOf | undefined };
  }
  if (size !== undefined)
    throw wrongType(where, 'highWaterMark', highWaterMark, 'given with a size: it is what may wait');
  return undefined;
}

/** Reads a queuing strategy as the Streams standard does: once, with a mark of 1 by default. */
export function strategyMark(where: string, what: string, strategy: QueuingStrategy<never>): EdgeMark {
  const { highWaterMark = 1, size } = strategy;
  checkCount(where, `${what}.highWaterMark`, highWaterMark, 0);
  if (size !== undefined) checkFunction(where, `${what}.size`, size);
  return { highWaterMark, size: size as SizeOf | undefined };
}
