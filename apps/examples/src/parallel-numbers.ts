import { from, map } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';
import { show } from './show.js';

// Technique 2, numbers on all cores: the mean is subtracted from each number of an array, in two passes. An item is a
// column, a part of the array; the array is in shared memory, so a worker is given a view, and works in place.

const numbers = workerModule<typeof import('./numbers.js')>(new URL('./numbers.js', import.meta.url));
const FEW = { highWaterMark: 1, maxItemsInWorkers: 2 * numbers.workers }; // an item is a whole column

export async function centre(values: Float32Array<SharedArrayBuffer>, columnLength = 65_536): Promise<number> {
  const columns = from(function* () {
    for (let at = 0; at < values.length; at += columnLength) yield values.subarray(at, at + columnLength);
  });
  const total = await columns
    .pipeThrough(parallel(numbers, 'sum', { ...FEW, name: 'sum' }))
    .reduce((sum, part) => sum + part, 0);
  const by = total / values.length;
  await columns
    .pipeThrough(map((column) => ({ column, by })))
    .pipeThrough(parallel(numbers, 'subtract', { ...FEW, name: 'subtract', ordered: false }))
    .count();
  return by;
}

await show(import.meta.url, async () => {
  const values = new Float32Array(new SharedArrayBuffer(10 * Float32Array.BYTES_PER_ELEMENT));
  values.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  return { mean: await centre(values, 4), values: [...values] };
});
