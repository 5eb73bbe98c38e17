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
 * Gives the value that a share `q` of all values does not exceed, within 0.8 %.
 *
 * @returns The value, or `undefined` where nothing was recorded.
 */
export function quantileOf(buckets: ArrayLike<number>, q: number): number | undefined {
  let total = 0;
  for (let at = 0; at < BUCKETS; at++) total += buckets[at] as number;
  if (total <= 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  let at = 0;
  for (; at < BUCKETS - 1; at++) {
    seen += buckets[at] as number;
    if (seen >= rank) break;
  }
  return at === 0 ? 0 : (lowerBoundOf(at) + lowerBoundOf(at + 1)) / 2;
}

/** Counts the values below 2 to the power of `octave`: exact, since that is where a bucket begins. */
export function countBelow(buckets: ArrayLike<number>, octave: number): number {
  const end = Math.min(octave, OCTAVES) * SUB;
  let count = 0;
  for (let at = 0; at <= end; at++) count += buckets[at] as number;
  return count;
}
