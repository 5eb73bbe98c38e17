import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Checkpoint, Checkpointer } from '../checkpointer.js';
import { checkCount, checkMs, checkOptions, wrongType } from '../internal/arguments.js';

/** How often a checkpoint is kept. */
export interface FileCheckpointOptions {
  /** How many milliseconds after one checkpoint has begun the next one does. Default: 1,000, or no limit where `everyItems` is given. */
  readonly everyMs?: number;
  /** After how many items of all sources the next checkpoint begins. Default: no limit. */
  readonly everyItems?: number;
}

/**
 * Keeps the checkpoints of a job in a file: whenever the process or the machine stops, it has the last one as a whole.
 *
 * A checkpoint is written to `<path>.tmp`, brought to the disk, and renamed. One run at a time may use a file. Values are
 * kept as structured clones, so a `Map` or a `Date` in a state comes back as one.
 *
 * @param path - The file; it need not exist. Its folder must.
 * @param options - `everyMs`, `everyItems`.
 * @returns A checkpointer for the option `checkpoint` of a run.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust –; Akka –; Node –.
 *
 * @example Go on where the last run ended
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { fileCheckpoint } from '@millrace/core/file';
 * const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'job.checkpoint');
 * const sums: number[] = [];
 * const job = (end: number) => range(0, end).pipeThrough(scan((sum: number, n: number) => sum + n, 0));
 * await job(3).run((sum) => void sums.push(sum), { checkpoint: fileCheckpoint(path) }).finished;
 * await job(5).run((sum) => void sums.push(sum), { checkpoint: fileCheckpoint(path) }).finished;
 * assert.deepEqual(sums, [0, 1, 3, 6, 10]);
 * ```
 */
export function fileCheckpoint(path: string, options: FileCheckpointOptions = {}): Checkpointer {
  if (typeof path !== 'string') throw wrongType('fileCheckpoint()', 'path', path, 'a string');
  checkOptions('fileCheckpoint()', options, ['everyMs', 'everyItems']);
  const { everyMs, everyItems } = options;
  if (everyMs !== undefined) checkMs('fileCheckpoint()', 'everyMs', everyMs, 1);
  if (everyItems !== undefined) checkCount('fileCheckpoint()', 'everyItems', everyItems, 1);
  return { everyMs, everyItems, load: () => load(path), save: (checkpoint) => save(path, checkpoint) };
}

async function load(path: string): Promise<Checkpoint | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return bytes === undefined ? undefined : checkpointIn(path, bytes);
}

function checkpointIn(path: string, bytes: Buffer): Checkpoint {
  try {
    const { sequence, positions, states } = deserialize(bytes) as Checkpoint;
    if (typeof sequence === 'number' && positions !== undefined && states !== undefined)
      return { sequence, positions, states };
    throw new TypeError('it holds something else');
  } catch (cause) {
    throw new Error(`${path} is not a checkpoint (must be a file that fileCheckpoint() wrote, or none)`, { cause });
  }
}

async function save(path: string, checkpoint: Checkpoint): Promise<void> {
  const next = `${path}.tmp`;
  const file = await open(next, 'w');
  try {
    await file.writeFile(serialize(checkpoint));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  // A folder cannot be opened on Windows, where the rename is durable by itself.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
