// A log-linear histogram over plain slots: 64 buckets of equal width for each power of two, so that the middle of a
// bucket is within 1/128 (0.8 %) of every value in it. Buckets are counts, so windows are differences and histograms of
// several runs are sums.

const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;
const OCTAVES = 42;

/** How many slots a histogram takes: one below 1 ns, and 64 for each power of two up to 73 minutes. */
export const BUCKETS: number = 1 + OCTAVES * SUB;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
const SHIFT = 20 - SUB_BITS;
const FIRST = 1023 << SUB_BITS;

/** Gives the bucket of a value; what is beyond the last goes into the last. */
export function bucketOf(nanoseconds: number): number {
  if (!(nanoseconds >= 1)) return 0;
  float[0] = nanoseconds;
  // PERF: exponent and upper bits of the mantissa, next to each other in the number itself, are the bucket's number.
  return Math.min(((words[HIGH] as number) >>> SHIFT) - FIRST + 1, BUCKETS - 1);
}

/** Gives the least value of a bucket. */
export function lowerBoundOf(bucket: number): number {
  if (bucket === 0) return 0;
  const octave = (bucket - 1) >> SUB_BITS;
  return 2 ** octave * (1 + ((bucket - 1) & (SUB - 1)) / SUB);
}

/**
 * Gives the values that shares `qs` (ascending) of all values do not exceed, within 0.8 %, in one pass.
 *
 * @param before - An earlier state of the same buckets, which is taken off.
 * @returns The values, or `undefined` where nothing was recorded.
 */
export function quantilesOf(
  buckets: ArrayLike<number>,
  qs: readonly number[],
  before?: ArrayLike<number>,
): number[] | undefined {
  const countOf = (at: number): number => (buckets[at] as number) - (before === undefined ? 0 : (before[at] as number));
  let total = 0;
  for (let at = 0; at < BUCKETS; at++) total += countOf(at);
  if (total <= 0) return undefined;
  let at = 0;
  let seen = countOf(0);
  return qs.map((q) => {
    const rank = Math.max(1, Math.ceil(q * total));
    while (seen < rank && at < BUCKETS - 1) seen += countOf(++at);
    return at === 0 ? 0 : (lowerBoundOf(at) + lowerBoundOf(at + 1)) / 2;
  });
}

/** Counts the values below 2 to the power of each of `octaves` (ascending): exact, since there a bucket begins. */
export function countsBelow(buckets: ArrayLike<number>, octaves: readonly number[]): number[] {
  let at = 0;
  let count = 0;
  return octaves.map((octave) => {
    const end = Math.min(octave, OCTAVES) * SUB;
    for (; at <= end; at++) count += buckets[at] as number;
    return count;
  });
}
