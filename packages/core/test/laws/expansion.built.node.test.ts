import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

// The same in memory that would not hold a tenth of the items.

const program = (expression: string): string => `
  import { workerData, parentPort } from 'node:worker_threads';
  const { from, flatMap, map, batch, merge } = await import(workerData);
  const many = function* () { for (let n = 0; n < 10_000_000; n++) yield { n }; };
  parentPort.postMessage(await (${expression}));
`;

function inLittleMemory(expression: string): Promise<unknown> {
  const core = import.meta.resolve('@millrace/core');
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program(expression))}`), {
      workerData: core,
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 16 },
    });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}

test('flatMap() unfolds 10,000,000 items of one in 32 MB', { timeout: 120_000 }, async () => {
  expect(fileURLToPath(import.meta.resolve('@millrace/core'))).toContain('dist');
  expect(await inLittleMemory(`from([0]).pipeThrough(flatMap(many)).pipeThrough(map(({ n }) => n)).count()`)).toBe(
    10_000_000,
  );
  expect(
    await inLittleMemory(`from([0]).pipeThrough(flatMap(many)).pipeThrough(batch({ maxItems: 100 })).count()`),
  ).toBe(100_000);
});

test('what holds all of them does not fit', { timeout: 120_000 }, async () => {
  const holding = inLittleMemory(`from([0]).pipeThrough(flatMap(many)).toArray().then((all) => all.length)`);
  await expect(holding).rejects.toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' });
});
