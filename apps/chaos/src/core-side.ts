// The program that is killed: copies the records of a file into another one, through stages that work on several at once,
// fail now and then, keep things, and gather; what can't be read goes into a third one.
// `core-side.js <input> <output> <rejects> <checkpoint>`. At its end it writes down what it left open.

import { type FileHandle, open, readdir } from 'node:fs/promises';
import {
  batch,
  type DeadLetter,
  deadLetter,
  dedupeConsecutive,
  flatMap,
  map,
  mapAsync,
  type Sink,
  scan,
} from '@millrace/core';
import { fileCheckpoint, fileLines } from '@millrace/core/file';

const [input = '', output = '', rejects = '', checkpoint = ''] = process.argv.slice(2);
const descriptors = await openDescriptors();
const outputFile = await open(output, 'a');
const rejectsFile = await open(rejects, 'a');

interface Line {
  readonly id: number;
  /** How many lines came before it, in all runs. */
  readonly index: number;
}

function parse(line: string, index: number): Line {
  const { id } = JSON.parse(line) as { id: number };
  // Where a run goes on, indexes do, too.
  if (id !== index) process.exit(2);
  return { id, index };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What a service does that fails for every seventh call, and takes its time for some. */
let calls = 0;
async function flaky(id: number): Promise<number> {
  if (id % 5 === 0) await wait(id % 3);
  if (++calls % 7 === 0) throw new Error('not now');
  return id;
}

const retry = { attempts: 50, backoffMs: 1, maxBackoffMs: 4 };

/** Appends lines; they are durable once they are on the disk. */
function appendTo(file: FileHandle): Sink<string> {
  return {
    name: 'append',
    maxBurst: 16,
    open: () => ({
      write: (lines) => file.appendFile(lines.join('')),
      flush: () => file.sync(),
      close: () => file.close(),
    }),
  };
}

/** A letter is durable when the promise of its write resolves: that is what the standard has for it. */
const letters = new WritableStream<DeadLetter<string>>({
  async write({ index }) {
    await rejectsFile.appendFile(`${index}\n`);
    await rejectsFile.sync();
  },
});

await fileLines(input)
  .pipeThrough(map(parse, { onError: deadLetter(letters) }))
  .pipeThrough(dedupeConsecutive(({ id }) => id))
  .pipeThrough(scan((last: Line, line: Line) => (last.id < line.id ? line : last), { id: -1, index: -1 }))
  .pipeThrough(mapAsync(({ id }) => flaky(id), { concurrency: 8, ordered: false, retry }))
  .pipeThrough(batch({ maxItems: 10, maxWaitMs: 5 }))
  .pipeThrough(flatMap((ids) => ids))
  .pipeThrough(mapAsync(flaky, { concurrency: 4, retry }))
  .pipeThrough(map((id) => `${id}\n`))
  .run(appendTo(outputFile), { checkpoint: fileCheckpoint(checkpoint, { everyItems: 50 }) }).finished;

await rejectsFile.close();
// The request to close it is over a turn later.
await new Promise((resolve) => setImmediate(resolve));
const resources = process.getActiveResourcesInfo();
const more = Math.max(0, (await openDescriptors()) - descriptors);
process.stdout.write(JSON.stringify({ open: [...resources, ...new Array<string>(more).fill('a descriptor')] }));

/** How many files, pipes and sockets the process has open; 0 where the system does not tell. */
async function openDescriptors(): Promise<number> {
  const descriptors = await readdir('/dev/fd').catch(() => []);
  return descriptors.length;
}
