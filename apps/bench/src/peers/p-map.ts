import pMap from 'p-map';

/** A function on numbers, 100 at a time. */
export async function mapConcurrently(
  numbers: readonly number[],
  fn: (value: number) => Promise<number>,
): Promise<number> {
  const values = await pMap(numbers, fn, { concurrency: 100 });
  return values.reduce((total, value) => total + value, 0);
}
