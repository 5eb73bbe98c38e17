import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { take } from '@millrace/core';
import { fileCheckpoint, fileLines } from '@millrace/core/file';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-file-'));
});

test('fileCheckpoint() gives back what was saved last, and leaves nothing else', async () => {
  const path = join(folder, 'a.checkpoint');
  const checkpointer = fileCheckpoint(path);
  expect(await checkpointer.load()).toBeUndefined();
  for (const sequence of [1, 2]) {
    await checkpointer.save({
      sequence,
      positions: { lines: 7 },
      states: { scan: new Map([['a', new Date(sequence)]]) },
    });
  }
  const states = { scan: new Map([['a', new Date(2)]]) };
  expect(await checkpointer.load()).toEqual({ sequence: 2, positions: { lines: 7 }, states });
  expect((await readdir(folder)).filter((name) => name.includes('checkpoint'))).toEqual(['a.checkpoint']);
});

test('fileCheckpoint() does not take a broken file for none', async () => {
  const path = join(folder, 'broken.checkpoint');
  for (const content of ['broken', '', serialize('something else'), serialize(undefined)]) {
    await writeFile(path, content);
    await expect(fileCheckpoint(path).load()).rejects.toThrow(`${path} is not a checkpoint`);
  }
});

test('fileLines() gives the lines of any file, and goes on behind any of them', async () => {
  const path = join(folder, 'lines.txt');
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ''));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.boolean(), fc.nat(30), async (lines, isEnded, most) => {
      await writeFile(path, lines.join('\r\n') + (isEnded && lines.length > 0 ? '\n' : ''));
      const whole = lines.at(-1) === '' && !isEnded ? lines.slice(0, -1) : lines;
      expect(await fileLines(path).toArray()).toEqual(whole);
      expect(await fileLines(path).pipeThrough(take(most)).toArray()).toEqual(whole.slice(0, most));
      let last: unknown;
      const seen: string[] = [];
      const checkpoint = {
        everyItems: 1,
        load: () => undefined,
        save({ positions }: { positions: object }) {
          last ??= positions;
        },
      };
      await fileLines(path).run(async (text) => void seen.push(text), { checkpoint }).finished;
      expect(seen).toEqual(whole);
      const rest: string[] = [];
      const resumed = {
        load: () => ({ sequence: 1, positions: last as Record<string, unknown>, states: {} }),
        save() {},
      };
      await fileLines(path).run((text) => void rest.push(text), { checkpoint: resumed }).finished;
      expect(rest).toEqual(whole.slice(1));
    }),
    { numRuns: 60 },
  );
});

test('fileLines() refuses a line that is too long, and fails where there is no file', async () => {
  const path = join(folder, 'long.txt');
  await writeFile(path, `short\n${'x'.repeat(100)}\n`);
  await expect(fileLines(path, { maxLineBytes: 50 }).toArray()).rejects.toThrow(/the line at byte 6 is too long/);
  await expect(fileLines(join(folder, 'none')).toArray()).rejects.toMatchObject({ cause: { code: 'ENOENT' } });
});

test('fileLines() reads a line of many chunks', async () => {
  const path = join(folder, 'chunks.txt');
  const long = 'x'.repeat(1_000_000);
  await writeFile(path, `first\n${long}\nlast`);
  expect(await fileLines(path).toArray()).toEqual(['first', long, 'last']);
});

test('fileLines() goes on in the same file only, grown by whole lines or not at all', async () => {
  const path = join(folder, 'grown.txt');
  const goOn = async (content: string): Promise<string[]> => {
    await writeFile(path, content);
    const lines: string[] = [];
    const load = () => ({ sequence: 1, positions: { lines: 4 }, states: {} });
    await fileLines(path).run((line) => void lines.push(line), { checkpoint: { load, save() {} } }).finished;
    return lines;
  };
  expect(await goOn('1\n2\n3\n')).toEqual(['3']);
  expect(await goOn('1\n2\n')).toEqual([]);
  expect(await goOn('1\n22')).toEqual([]);
  await expect(goOn('1\n2')).rejects.toThrow(`Cannot go on at byte 4 of ${path}: it has 3`);
  await expect(goOn('1\n222')).rejects.toThrow(`Cannot go on at byte 4 of ${path}: that is inside of a line`);
});
