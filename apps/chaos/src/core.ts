import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileCheckpoint } from '@millrace/core/file';
import { runSide, type SideLimits } from './side.js';

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
/** Every so many of them cannot be read. */
const REJECTED_EVERY = 50;
/** A program that takes longer hangs. */
const PATIENCE_MS = 60_000;
/** A round in which it hangs as often is given up. */
const MOST_HUNG = 3;
const SIDE = fileURLToPath(new URL('./core-side.js', import.meta.url));

/** The files of one round: the first is read, the others are written. */
const FILES = ['input', 'output', 'rejects', 'checkpoint'] as const;
type Files = Readonly<Record<(typeof FILES)[number], string>>;

/** Copies a file in a program that is killed at random moments, again and again until it ends, and counts: `rounds` times. */
export async function coreChaos(rounds: number, random: () => number): Promise<Outcome> {
  const outcome: Outcome = { rounds, kills: 0, lost: 0, doubled: 0, doubledOutsideWindow: 0, hung: 0, leaked: 0 };
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-'));
  try {
    const lines = Array.from({ length: RECORDS }, (_, id) => lineOf(id));
    const input = join(folder, 'input');
    await writeFile(input, lines.join(''));
    const ends = endsOf(lines);
    const began = performance.now();
    await copy(await filesIn(folder, 'unkilled', input), ends, () => ({ patienceMs: PATIENCE_MS }), outcome);
    const wholeMs = performance.now() - began;
    for (let round = 0; round < rounds; round++) {
      const files = await filesIn(folder, `round-${round}`, input);
      await copy(files, ends, () => ({ killMs: random() * 1.2 * wholeMs, patienceMs: PATIENCE_MS }), outcome);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return outcome;
}

function lineOf(id: number): string {
  return id % REJECTED_EVERY === REJECTED_EVERY - 1 ? `broken ${id}\n` : `${JSON.stringify({ id })}\n`;
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

/** Makes a folder for what a round writes. */
async function filesIn(folder: string, round: string, input: string): Promise<Files> {
  const own = join(folder, round);
  await mkdir(own);
  return { input, output: join(own, 'output'), rejects: join(own, 'rejects'), checkpoint: join(own, 'checkpoint') };
}

/** One round: runs the program until it has ended well, then adds what became of the records to the outcome. */
async function copy(
  files: Files,
  ends: ReadonlyMap<number, number>,
  limitsOf: () => SideLimits,
  outcome: Outcome,
): Promise<void> {
  /** How often a record may be written: once more for each kill with it behind the checkpoint of that moment. */
  const allowed = new Array<number>(RECORDS).fill(1);
  const paths = FILES.map((name) => files[name]);
  for (let hung = 0; ; ) {
    const { how, leaked } = await runSide(SIDE, paths, limitsOf());
    leave(outcome, leaked);
    if (how === 'done') break;
    outcome[how === 'hung' ? 'hung' : 'kills']++;
    if (how === 'hung' && ++hung === MOST_HUNG) throw new Error(`Cannot end a round: the program hung ${hung} times`);
    const last = await fileCheckpoint(files.checkpoint).load();
    const position = (last?.positions['lines'] as number | undefined) ?? 0;
    for (let id = ends.get(position) as number; id < RECORDS; id++) allowed[id] = (allowed[id] as number) + 1;
    for (const file of [files.output, files.rejects]) await dropTornLine(file);
  }
  const seen = await timesWritten([files.output, files.rejects]);
  seen.forEach((times, id) => {
    if (times === 0) outcome.lost++;
    if (times > 1) outcome.doubled++;
    if (times > (allowed[id] as number)) outcome.doubledOutsideWindow++;
  });
  const known = paths.map((path) => basename(path));
  leave(
    outcome,
    (await readdir(dirname(files.output))).filter((name) => !known.includes(name)),
  );
}

/** Counts what was left behind, and says what it is. */
function leave(outcome: Outcome, leaked: readonly string[]): void {
  outcome.leaked += leaked.length;
  for (const what of leaked) console.error(`left behind: ${what}`);
}

/** A kill may come in the middle of a line; what is not a whole line was never said to be durable. */
async function dropTornLine(file: string): Promise<void> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const whole = bytes.lastIndexOf(10) + 1;
  if (whole < bytes.length) await truncate(file, whole);
}

/** How often each record was written. */
async function timesWritten(files: readonly string[]): Promise<number[]> {
  const seen = new Array<number>(RECORDS).fill(0);
  for (const file of files) {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line !== '') seen[Number(line)] = (seen[Number(line)] as number) + 1;
    }
  }
  return seen;
}
