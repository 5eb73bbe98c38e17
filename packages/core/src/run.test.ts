import { batch, buffer, from, generate, map, mapAsync, range, StageError } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { sinkProbe, sourceProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const whatever = (): void => {};
const hanging = (): Promise<never> => new Promise(() => {});
const { settle } = virtualClock();

test('drain() ends the source, finishes what is inside, and says what happened', async () => {
  const clock = virtualClock();
  const source = sourceProbe<number>();
  const sink = sinkProbe<number[]>();
  const run = source.pipeline
    .pipeThrough(mapAsync(async (n: number) => n * 10, { concurrency: 2 }))
    .pipeThrough(batch({ maxItems: 4 }))
    .run(sink.sink, { clock });
  await settle();
  source.release(1, 2, 3, 4, 5, 6);
  await settle();
  const drained = run.drain();
  const taken = sink.take(Number.POSITIVE_INFINITY);
  const summary = await drained;
  expect(await taken).toEqual([
    [10, 20, 30, 40],
    [50, 60],
  ]);
  expect(summary).toMatchObject({
    read: 6,
    made: 2,
    absorbed: 6,
    emitted: 2,
    abandoned: 0,
    balanced: true,
    leftOpen: [],
  });
  expect(run.inFlight).toBe(0);
  expect(sink.closes).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test('drain() sums what was completed before, flushed since and abandoned to what was read', async () => {
  const clock = virtualClock();
  const probe = sinkProbe<number>();
  const numbers = sourceProbe<number>();
  const run = numbers.pipeline.pipeThrough(buffer(4)).run(probe.sink, { clock, closeGraceMs: 50 });
  await settle();
  numbers.release(1, 2, 3, 4, 5, 6);
  await probe.take(2);
  await settle();
  const drained = run.drain({ deadlineMs: 100 });
  await settle();
  await probe.take(1);
  const again = run.drain({ deadlineMs: 100 });
  await clock.advance(150);
  const receipt = { read: 6, completed: 2, flushed: 1, abandoned: 3, overdue: true, balanced: true };
  expect([await drained, await again]).toMatchObject([receipt, receipt]);
  expect(clock.pendingTimers).toBe(0);
});

test('receipt says what became of the items of a run that fails, or is aborted, while it drains', async () => {
  for (const end of ['fail', 'abort']) {
    const clock = virtualClock();
    const numbers = sourceProbe<number>();
    const answers: Array<(error?: Error) => void> = [];
    const run = numbers.pipeline
      .pipeThrough(buffer(4))
      .run(
        () => new Promise<void>((resolve, reject) => void answers.push((error) => (error ? reject(error) : resolve()))),
        { clock },
      );
    numbers.release(1, 2, 3, 4, 5, 6);
    await settle();
    answers[0]?.();
    await settle();
    const drained = run.drain();
    drained.catch(() => {});
    answers[1]?.();
    await settle();
    expect(run.receipt).toBe(undefined);
    if (end === 'abort') run.abort('enough');
    else answers[2]?.(new Error('full'));
    await expect(drained).rejects.toBeDefined();
    expect(run.receipt).toMatchObject({ completed: 1, flushed: 1, overdue: false, balanced: true });
    const { read = 0, abandoned = 0 } = run.receipt ?? {};
    expect(read).toBe(2 + abandoned);
    expect(run.receipt).toMatchObject({ abandoned: numbers.read - 2 });
  }
});

test('receipt is undefined of a run that was not drained', async () => {
  const run = from([1]).run(whatever);
  await run.finished;
  expect(run.receipt).toBe(undefined);
});

test('drain() counts in its receipt what batches are made of as flushed, and the batches', async () => {
  const clock = virtualClock();
  const numbers = sourceProbe<number>();
  const run = numbers.pipeline.pipeThrough(batch({ maxItems: 4 })).run(whatever, { clock });
  await settle();
  numbers.release(1, 2, 3, 4, 5, 6);
  await settle();
  const receipt = { read: 6, made: 2, completed: 5, flushed: 3, abandoned: 0, overdue: false };
  expect(await run.drain()).toMatchObject(receipt);
});

test('a function that a run waits for is not counted as done', async () => {
  const run = from([1, 2]).run(hanging);
  await settle();
  expect(run.counts()[1]).toMatchObject({ in: 1, out: 0, held: 1 });
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  expect(run.counts()[1]).toMatchObject({ in: 1, out: 0, held: 0, abandoned: 1 });
});

test('drain() awaits a pending read until the deadline, then gives it up', async () => {
  const clock = virtualClock();
  let cancels = 0;
  const silent = new ReadableStream<number>({ cancel: () => void cancels++ });
  const run = from(silent).run(whatever, { clock });
  await settle();
  const drained = run.drain({ deadlineMs: 50 });
  await clock.advance(49);
  expect(cancels).toBe(0);
  await clock.advance(1);
  expect(await drained).toMatchObject({ read: 0, emitted: 0, balanced: true, leftOpen: [] });
  expect(cancels).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test('drain() tells a sink that is not done by the deadline and its grace to give up', async () => {
  const clock = virtualClock();
  const reasons: unknown[] = [];
  const stuck = {
    name: 'stuck',
    open: () => ({ write: hanging, abort: (reason: unknown) => void reasons.push(reason) }),
  };
  const run = range(0, 3).run(stuck, { clock, closeGraceMs: 30 });
  await settle();
  const drained = run.drain({ deadlineMs: 10 });
  await clock.advance(39);
  expect(reasons).toEqual([]);
  await clock.advance(1);
  expect(await drained).toMatchObject({ emitted: 0, balanced: true });
  expect(reasons).toMatchObject([{ code: 'ERR_CORE_ABORTED' }]);
  expect(clock.pendingTimers).toBe(0);
});

test('drain() of a run that is over gives its summary, and rejects with what it failed with', async () => {
  const over = range(0, 3).run(whatever);
  const summary = await over.finished;
  expect(await over.drain()).toEqual({ ...summary, completed: 3, flushed: 0, overdue: false });
  const cause = new Error('no');
  const failed = range(0, 3).run(() => {
    throw cause;
  });
  await expect(failed.finished).rejects.toMatchObject({ cause });
  await expect(failed.drain()).rejects.toMatchObject({ cause });
  expect(failed.receipt).toMatchObject({ completed: 0, flushed: 0, abandoned: 1 });
});

test('abort() rejects with its reason itself, abandons what is inside, and tells source and sink', async () => {
  const probe = sourceProbe<number>();
  const sink = sinkProbe<number>({ highWaterMark: 2 });
  const run = probe.pipeline.run(sink.sink);
  await settle();
  probe.release(1, 2, 3, 4, 5);
  await settle();
  const inside = run.inFlight;
  expect(inside).toBeGreaterThan(0);
  const reason = { not: 'an Error' };
  run.abort(reason);
  run.abort('too late');
  await expect(run.finished).rejects.toBe(reason);
  expect(run.inFlight).toBe(0);
  expect(probe.closes).toEqual([reason]);
  expect(sink.aborts).toEqual([reason]);
  expect(run.counts().reduce((sum, { abandoned }) => sum + abandoned, 0)).toBe(inside);
});

test('abort() without a reason rejects with a PipelineError', async () => {
  const run = generate((n) => n).run(hanging);
  run.abort();
  await expect(run.finished).rejects.toMatchObject({
    name: 'PipelineError',
    code: 'ERR_CORE_ABORTED',
    message: 'Cannot finish the run: it was aborted',
  });
});

test.for(['the end', 'a failure', 'an abort'])('a run leaves no listener on its signal after %s', async (ending) => {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  }) as typeof add;
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  }) as typeof remove;
  const sink =
    ending === 'the end' ? whatever : ending === 'an abort' ? hanging : () => Promise.reject(new Error('no'));
  const run = range(0, 3).run(sink, { signal });
  run.finished.catch(whatever);
  expect(listeners).toBe(1);
  await settle();
  const reason = new Error('enough');
  if (ending === 'an abort') controller.abort(reason);
  const result = await run.finished.then(
    () => 'the end',
    (error: unknown) => (error === reason ? 'an abort' : 'a failure'),
  );
  expect(result).toBe(ending);
  expect(listeners).toBe(0);
});

test('a signal aborted beforehand ends the run with its reason, and nothing is read', async () => {
  const probe = sourceProbe<number>();
  const reason = new Error('before');
  await expect(probe.pipeline.toArray({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(probe.pulls).toEqual([]);
  expect(probe.closes).toEqual([reason]);
});

test('closeGraceMs is how long the end waits for what does not close, which is then said to be left open', async () => {
  const clock = virtualClock();
  const stuck = source<number>({ name: 'stuck', open: () => ({ read: hanging, close: hanging }) });
  const run = stuck.run(whatever, { clock, closeGraceMs: 30 });
  await settle();
  const drained = run.drain({ deadlineMs: 10 });
  let isOver = false;
  void drained.then(() => {
    isOver = true;
  });
  await clock.advance(39);
  expect(isOver).toBe(false);
  await clock.advance(1);
  expect((await drained).leftOpen).toEqual(['stuck']);
  expect(clock.pendingTimers).toBe(0);
});

test('what fails while a run closes is reported: alone where nothing else failed, else among the others', async () => {
  const cause = new Error('stuck');
  const broken = source<number>({
    name: 'broken',
    open: () => ({ read: () => [1], close: () => Promise.reject(cause) }),
  });
  const close = { code: 'ERR_CORE_CLOSE', message: 'Cannot close stage "broken": stuck', cause };
  await expect(broken.first()).rejects.toMatchObject(close);
  const boom = map((): never => {
    throw new Error('boom');
  });
  const error = await broken
    .pipeThrough(boom)
    .toArray()
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ stage: 'map', cause: new Error('boom'), others: [close] });
});

test('explain() names every room, and its bound is their sum', () => {
  const plan = range(0, 9)
    .pipeThrough(map((n) => n))
    .pipeThrough(mapAsync(async (n: number) => n, { concurrency: 4, highWaterMark: 3, name: 'ask' }))
    .pipeThrough(buffer(5))
    .run(sinkProbe<number>({ highWaterMark: 2, name: 'store' }).sink)
    .explain();
  expect(plan.rooms).toEqual([
    { stage: 'ask', where: 'edge', items: 3 },
    { stage: 'ask', where: 'concurrency', items: 4 },
    { stage: 'buffer', where: 'edge', items: 5 },
    { stage: 'store', where: 'edge', items: 2 },
    { stage: 'store', where: 'in service', items: 1 },
  ]);
  expect(plan.bound).toBe(15);
  expect(String(plan)).toBe(
    [
      'at most 15 items inside',
      '  fused:     range → map',
      '  operator:  ask | ask edge: 3 | ask concurrency: 4',
      '  operator:  buffer | buffer edge: 5',
      '  sink:      store | store edge: 2 | store in service: 1',
    ].join('\n'),
  );
});

test('maxInFlight refuses what could hold more, names the rooms, and builds what fits exactly', async () => {
  const asked = range(0, 9).pipeThrough(mapAsync(async (n: number) => n, { concurrency: 4, name: 'ask' }));
  const sink = { highWaterMark: 2, open: () => ({ write: whatever }) };
  expect(() => asked.run(sink, { maxInFlight: 6 })).toThrow(
    expect.objectContaining({
      code: 'ERR_CORE_IN_FLIGHT',
      message:
        'Cannot build the pipeline: 7 items can be inside (must be at most 6, the maxInFlight): ' +
        'ask concurrency 4, sink edge 2, sink in service 1',
    }),
  );
  const summary = await asked.run(sink, { maxInFlight: 7 }).finished;
  expect(summary.inFlightMax).toBeLessThanOrEqual(7);
});

test('maxInFlight refuses foreign streams, whose items nobody counts', () => {
  const foreign = range(0, 9).pipeThrough(new TransformStream<number, number>(), { name: 'theirs' });
  expect(() => foreign.run(whatever, { maxInFlight: 1_000_000 })).toThrow(
    expect.objectContaining({
      code: 'ERR_CORE_IN_FLIGHT',
      message: expect.stringContaining(`what is inside "theirs" can't be counted (must be at most 1000000`),
    }),
  );
  expect(foreign.explain().notCounted).toEqual(['theirs']);
});
