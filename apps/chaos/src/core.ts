import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileCheckpoint } from '@millrace/core/file';

/** What came of all rounds. */
export interface Outcome {
  rounds: number;
  kills: number;
  lost: number;
  doubled: number;
  doubledOutsideWindow: number;
  hung: number;
  leaked: number;
}

const RECORDS = 2_000;
/** A program that takes longer hangs. */
const PATIENCE_MS = 60_000;
const SIDE = fileURLToPath(new URL('./core-side.js', import.meta.url));

/** Copies a file in a program that is killed at random moments, again and again until it ends, and counts: `rounds` times. */
export async function coreChaos(rounds: number, random: () => number): Promise<Outcome> {
  const outcome: Outcome = { rounds, kills: 0, lost: 0, doubled: 0, doubledOutsideWindow: 0, hung: 0, leaked: 0 };
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-'));
  try {
    const input = join(folder, 'input.ndjson');
    const lines = Array.from({ length: RECORDS }, (_, id) => `${JSON.stringify({ id })}\n`);
    await writeFile(input, lines.join(''));
    const ends = endsOf(lines);
    const began = performance.now();
    await runSide([input, join(folder, 'unkilled'), join(folder, 'unkilled-checkpoint')], PATIENCE_MS);
    const wholeMs = performance.now() - began;
    for (let round = 0; round < rounds; round++) {
      await copy(
        input,
        join(folder, `output-${round}`),
        join(folder, `checkpoint-${round}`),
        ends,
        () => random() * 1.2 * wholeMs,
        outcome,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return outcome;
}

/** How many records end at or before a byte. */
function endsOf(lines: readonly string[]): Map<number, number> {
  const ends = new Map([[0, 0]]);
  let offset = 0;
  lines.forEach((line, at) => {
    offset += Buffer.byteLength(line);
    ends.set(offset, at + 1);
  });
  return ends;
}

async function copy(
  input: string,
  output: string,
  checkpoint: string,
  ends: ReadonlyMap<number, number>,
  killMs: () => number,
  outcome: Outcome,
): Promise<void> {
  /** How often a record may be in the output: once more for each kill with it behind the checkpoint of that moment. */
  const allowed = new Array<number>(RECORDS).fill(1);
  for (let isDone = false; !isDone; ) {
    const end = await runSide([input, output, checkpoint], killMs());
    isDone = end === 'done';
    if (isDone) break;
    if (end === 'hung') outcome.hung++;
    else outcome.kills++;
    const last = await fileCheckpoint(checkpoint).load();
    const position = (last?.positions['lines'] as number | undefined) ?? 0;
    for (let id = ends.get(position) as number; id < RECORDS; id++) allowed[id] = (allowed[id] as number) + 1;
    await dropTornLine(output);
  }
  const seen = new Array<number>(RECORDS).fill(0);
  for (const line of (await readFile(output, 'utf8')).split('\n')) {
    if (line !== '') seen[Number(line)] = (seen[Number(line)] as number) + 1;
  }
  seen.forEach((times, id) => {
    if (times === 0) outcome.lost++;
    if (times > 1) outcome.doubled++;
    if (times > (allowed[id] as number)) outcome.doubledOutsideWindow++;
  });
}

/** A kill may come in the middle of a line; what is not a whole line was never said to be durable. */
async function dropTornLine(output: string): Promise<void> {
  const bytes = await readFile(output).catch(() => Buffer.alloc(0));
  const whole = bytes.lastIndexOf(10) + 1;
  if (whole < bytes.length) await truncate(output, whole);
}

/** Runs the program until it ends, or is killed after `killMs`. */
function runSide(files: readonly string[], killMs: number): Promise<'done' | 'killed' | 'hung'> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SIDE, ...files], { stdio: ['ignore', 'ignore', 'inherit'] });
    const killer = setTimeout(() => child.kill('SIGKILL'), killMs);
    const patience = setTimeout(() => resolve('hung'), PATIENCE_MS);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(killer);
      clearTimeout(patience);
      if (signal === 'SIGKILL') resolve('killed');
      else if (code === 0) resolve('done');
      else reject(new Error(`Cannot copy the file: the program ended with code ${code} (must be 0)`));
    });
  });
}
