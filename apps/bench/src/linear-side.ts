import { type Pipeline, range, tap } from '@millrace/core';
import { EVERY_STAGE } from './millrace/every-stage.js';

// The program that a fresh process runs for the suite `linear`, with --expose-gc: one stage, over so many items. It prints
// the CPU time in microseconds, and the bytes that are alive when nine tenths of the items of each input have been read.

const WARM = 300_000;

/** What the process is told to run. */
export interface LinearJob {
  readonly stage: string;
  readonly items: number;
}

const { stage, items } = JSON.parse(process.argv[2] ?? '{}') as LinearJob;
const program = EVERY_STAGE[stage];
if (program === undefined) throw new Error(`Cannot run the stage: ${stage} is unknown`);

let heapBytes = 0;
let cpuOfLooking = 0;

/** Sees to it that only what is alive is counted; the time that takes is not the stage's. */
function look(): void {
  const before = process.cpuUsage();
  globalThis.gc?.();
  heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
  const { user, system } = process.cpuUsage(before);
  cpuOfLooking += user + system;
}

const numbers = (count: number): Pipeline<number> => {
  const at = Math.floor(count * 0.9);
  return range(0, count).pipeThrough(
    tap((n) => {
      if (n === at) look();
    }),
  );
};
const quiet = { observer: { warned: () => {} } };

await program(numbers, WARM).count(quiet);
globalThis.gc?.();
heapBytes = cpuOfLooking = 0;
const before = process.cpuUsage();
await program(numbers, items).count(quiet);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpu: user + system - cpuOfLooking, bytes: heapBytes }));
