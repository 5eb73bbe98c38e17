// The program that is killed: copies the records of a file into another one, through stages that work on several at once,
// fail now and then, and gather. `core-side.js <input> <output> <checkpoint>`.

import { open } from 'node:fs/promises';
import { batch, flatMap, map, mapAsync, type Sink } from '@millrace/core';
import { fileCheckpoint, fileLines } from '@millrace/core/file';

const [input = '', output = '', checkpoint = ''] = process.argv.slice(2);
const file = await open(output, 'a');

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What a service does that fails for every seventh call, and takes its time for some. */
let calls = 0;
async function flaky(id: number): Promise<number> {
  if (id % 5 === 0) await wait(id % 3);
  if (++calls % 7 === 0) throw new Error('not now');
  return id;
}

async function persistent(id: number): Promise<number> {
  for (;;) {
    try {
      return await flaky(id);
    } catch {
      // It is asked again until it answers: that is the retrying that is tried here.
    }
  }
}

/** Appends lines; they are durable once they are on the disk. */
const append: Sink<string> = {
  name: 'append',
  maxBurst: 16,
  open: () => ({
    write: (lines) => file.appendFile(lines.join('')),
    flush: () => file.sync(),
    close: () => file.close(),
  }),
};

await fileLines(input)
  .pipeThrough(map((line) => (JSON.parse(line) as { id: number }).id))
  .pipeThrough(mapAsync(persistent, { concurrency: 8, ordered: false }))
  .pipeThrough(batch({ maxItems: 10, maxWaitMs: 5 }))
  .pipeThrough(flatMap((ids) => ids))
  .pipeThrough(mapAsync(persistent, { concurrency: 4 }))
  .pipeThrough(map((id) => `${id}\n`))
  .run(append, { checkpoint: fileCheckpoint(checkpoint, { everyItems: 50 }) }).finished;
