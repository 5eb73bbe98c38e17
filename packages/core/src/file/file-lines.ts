import { type FileHandle, open } from 'node:fs/promises';
import type { StageContext } from '../engine/context.js';
import type { SourceReader } from '../engine/spec.js';
import { checkCount, checkOptions, wrongType } from '../internal/arguments.js';
import type { Pipeline } from '../pipeline.js';
import { source } from '../sources/source.js';

/** How lines are read. */
export interface FileLinesOptions {
  /** What the source is called in errors, plans and figures. Default: `'lines'`. */
  readonly name?: string;
  /** The most bytes that a line may have; a longer one fails the run. Default: 1,048,576. */
  readonly maxLineBytes?: number;
}

/**
 * Begins a pipeline with the lines of a text file in UTF-8, such as NDJSON; its positions are byte offsets.
 *
 * Lines come without their ends (`\n` or `\r\n`). Under a checkpoint a later run goes on behind the last line that was
 * delivered; the file may have grown meanwhile, by whole lines: the run fails where that place is not the beginning of a line
 * any more, or behind the end. With `context: true` the `offset` of a line's origin is the byte where it begins.
 *
 * @param path - The file.
 * @param options - `name`, `maxLineBytes`.
 * @returns A pipeline of the lines; each run opens the file anew.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust `LinesStream`; Akka `FileIO.fromPath` with `Framing.delimiter`; Node `FileHandle.readLines`.
 *
 * @example Numbers, one in a line
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { fileLines } from '@millrace/core/file';
 * const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'numbers.ndjson');
 * await writeFile(path, '1\n2\n3');
 * assert.deepEqual(await fileLines(path).pipeThrough(map(Number)).toArray(), [1, 2, 3]);
 * ```
 */
export function fileLines(path: string, options: FileLinesOptions = {}): Pipeline<string> {
  if (typeof path !== 'string') throw wrongType('fileLines()', 'path', path, 'a string');
  checkOptions('fileLines()', options, ['name', 'maxLineBytes']);
  const { name = 'lines', maxLineBytes = 1_048_576 } = options;
  checkCount('fileLines()', 'maxLineBytes', maxLineBytes, 1);
  return source<string>({ name, open: (context) => new LineReader(path, maxLineBytes, context) });
}

const CHUNK_BYTES = 65_536;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

class LineReader implements SourceReader<string> {
  readonly #path: string;
  readonly #maxLineBytes: number;
  readonly #context: StageContext;
  #file: FileHandle | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  /** Where in the file the next line begins. */
  #offset = 0;
  /** What was read from there on. */
  #bytes: Buffer = NOTHING;

  constructor(path: string, maxLineBytes: number, context: StageContext) {
    this.#path = path;
    this.#maxLineBytes = maxLineBytes;
    this.#context = context;
  }

  read(max: number): readonly string[] | Promise<readonly string[] | undefined> {
    const lines = this.#take(max);
    if (lines.length > 0) return lines;
    const reading = this.#read(max);
    this.#reading = reading;
    return reading;
  }

  position(): number {
    return this.#offset;
  }

  resume(position: unknown): void {
    this.#offset = position as number;
  }

  /** Closes the file behind a read that is pending. */
  async close(): Promise<void> {
    await this.#reading.catch(() => {});
    await this.#file?.close();
    this.#file = undefined;
  }

  async #read(max: number): Promise<readonly string[] | undefined> {
    this.#file ??= await this.#open();
    for (;;) {
      // As much again as there is of a line: the time for a long one grows with its length, not with its square.
      const chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, this.#bytes.length));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#offset + this.#bytes.length);
      if (bytesRead === 0) return this.#rest();
      this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, bytesRead)]);
      const lines = this.#take(max);
      if (lines.length > 0) return lines;
    }
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'r');
    try {
      await refuseOther(file, this.#path, this.#offset);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #take(max: number): string[] {
    const lines: string[] = [];
    let at = 0;
    while (lines.length < max) {
      const end = this.#bytes.indexOf(NEWLINE, at);
      if ((end < 0 ? this.#bytes.length : end) - at > this.#maxLineBytes) {
        if (lines.length > 0) break;
        throw new RangeError(
          `the line at byte ${this.#offset} is too long (must have at most ${this.#maxLineBytes} bytes)`,
        );
      }
      if (end < 0) break;
      lines.push(this.#line(this.#bytes.subarray(at, end), this.#offset + at));
      at = end + 1;
    }
    this.#bytes = this.#bytes.subarray(at);
    this.#offset += at;
    return lines;
  }

  #line(bytes: Buffer, offset: number): string {
    const line = textOf(bytes);
    return this.#context.carries ? this.#context.carry(line, { offset }) : line;
  }

  /** The last line, where the file does not end with a line's end. */
  #rest(): string[] | undefined {
    if (this.#bytes.length === 0) return undefined;
    const line = this.#line(this.#bytes, this.#offset);
    this.#offset += this.#bytes.length;
    this.#bytes = NOTHING;
    return [line];
  }
}

/** Where to go on must be the beginning of a line, or the end. */
async function refuseOther(file: FileHandle, path: string, offset: number): Promise<void> {
  if (offset === 0) return;
  const { size } = await file.stat();
  const where = `Cannot go on at byte ${offset} of ${path}`;
  if (size < offset) throw new RangeError(`${where}: it has ${size} (must be the file that the checkpoint is of)`);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset - 1);
  if (size > offset && buffer[0] !== NEWLINE)
    throw new RangeError(
      `${where}: that is inside of a line (must be the file that the checkpoint is of, with a whole line at its end then)`,
    );
}

function textOf(bytes: Buffer): string {
  const isBehindReturn = bytes[bytes.length - 1] === 13;
  return bytes.toString('utf8', 0, isBehindReturn ? bytes.length - 1 : bytes.length);
}
