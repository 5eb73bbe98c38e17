import { from, map, mapAsync, range, take } from '@millrace/core';
import { operator, source } from '@millrace/core/authoring';
import { sourceProbe } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

// Whatever a run was given or has opened is closed, also where the run ends before it has begun, or can't be built.

/** A native stream, and the reasons it was cancelled with. */
function watched(): { readonly stream: ReadableStream<number>; readonly cancels: unknown[] } {
  const cancels: unknown[] = [];
  const stream = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(1),
    cancel: (reason) => void cancels.push(reason),
  });
  return { stream, cancels };
}

const whatever = (): void => {};

describe('a run whose signal was aborted beforehand', () => {
  test('cancels a stream that it never read', async () => {
    const { stream, cancels } = watched();
    const reason = new Error('before');
    await expect(from(stream).toArray({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(cancels).toEqual([reason]);
    expect(stream.locked).toBe(false);
  });

  test('cancels a stream that was promised', async () => {
    const { stream, cancels } = watched();
    const promised = from(Promise.resolve(stream));
    await expect(promised.toArray({ signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect(cancels).toEqual(['before']);
  });

  test('leaves a stream alone that somebody else reads, and a function uncalled', async () => {
    const { stream, cancels } = watched();
    stream.getReader();
    const signal = AbortSignal.abort('before');
    await expect(from(stream).toArray({ signal })).rejects.toBe('before');
    let calls = 0;
    const made = from(() => {
      calls++;
      return stream;
    });
    await expect(made.toArray({ signal })).rejects.toBe('before');
    expect([cancels, calls]).toEqual([[], 0]);
  });
});

test('a source that cannot be opened fails its run, with the name of the source', async () => {
  const cause = new Error('shut');
  const open = (): never => {
    throw cause;
  };
  const numbers = source<number>({ name: 'numbers', open }).pipeThrough(mapAsync(async (n) => n));
  await expect(numbers.toArray()).rejects.toMatchObject({ stage: 'numbers', index: 0, cause });
});

test('take(0) cancels a stream that it never read', async () => {
  const { stream, cancels } = watched();
  expect(await from(stream).pipeThrough(take(0)).toArray()).toEqual([]);
  expect(cancels).toEqual([undefined]);
});

test('values() that is left before it was read cancels its stream', async () => {
  const { stream, cancels } = watched();
  await from(stream).values().return?.();
  expect(cancels).toEqual([undefined]);
});

test.for(['writable', 'readable'] as const)('run() with a pair whose %s is locked closes what is open', (end) => {
  const { stream, cancels } = watched();
  const before = new TransformStream<number, number>();
  const locked = new TransformStream<number, number>();
  if (end === 'writable') locked.writable.getWriter();
  else locked.readable.getReader();
  const pipeline = from(stream)
    .pipeThrough(before)
    .pipeThrough(map((n) => n))
    .pipeThrough(locked, { name: 'theirs' });
  const refused = {
    code: 'ERR_CORE_SOURCE_USED',
    message: `Cannot pipe through "theirs": its ${end} is locked (must be a pair that nobody uses; a pair serves one run)`,
  };
  expect(() => pipeline.run(whatever)).toThrow(expect.objectContaining(refused));
  expect(cancels).toEqual([expect.objectContaining(refused)]);
  expect(end === 'readable' && locked.writable.locked).toBe(false);
});

test('run() with an operator that does not open closes those before it, and the source', () => {
  const probe = sourceProbe<number>();
  const closes: unknown[] = [];
  const cause = new Error('no such file');
  const first = operator<number, number>({
    name: 'first',
    open: (upstream) => ({
      pull: (max) => upstream.pull(max),
      close(reason) {
        closes.push(reason);
        upstream.close(reason);
      },
    }),
  });
  const second = operator<number, number>({
    name: 'second',
    highWaterMark: 4,
    open() {
      throw cause;
    },
  });
  expect(() => probe.pipeline.pipeThrough(first).pipeThrough(second).run(whatever)).toThrow(cause);
  expect([closes, probe.closes]).toEqual([[cause], [cause]]);
});

test('run() with a sink that does not open fails at the sink, and closes the source', async () => {
  const probe = sourceProbe<number>();
  const cause = new Error('no such table');
  const sink = {
    name: 'table',
    open() {
      throw cause;
    },
  };
  await expect(probe.pipeline.run(sink).finished).rejects.toMatchObject({ stage: 'table', index: 0, cause });
  expect(probe.closes).toHaveLength(1);
});

test('run() with a sink that opens nothing to write to says so', async () => {
  const later = { open: async () => ({ write: whatever }) };
  await expect(range(0, 3).run(later as never).finished).rejects.toMatchObject({
    stage: 'sink',
    cause: {
      code: 'ERR_CORE_ARGUMENT',
      message: 'Cannot build run(): what the sink opened is an object (Promise) (must be an object with "write")',
    },
  });
});

test('a plan that is refused leaves its stream as it was', async () => {
  const { stream, cancels } = watched();
  const asked = from(stream).pipeThrough(mapAsync(async (n) => n, { concurrency: 4 }));
  await expect(asked.toArray({ maxInFlight: 2 })).rejects.toMatchObject({ code: 'ERR_CORE_IN_FLIGHT' });
  expect(cancels).toEqual([]);
  expect(await asked.first()).toBe(1);
});
