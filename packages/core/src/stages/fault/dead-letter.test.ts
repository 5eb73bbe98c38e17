import { type DeadLetter, deadLetter, from, type OnError, type Stage, type StageError } from '@millrace/core';
import {
  type Answer,
  checkOnError,
  type Failure,
  isLater,
  openRejects,
  operator,
  type Pulled,
} from '@millrace/core/authoring';
import { expect, test } from 'vitest';

/** Passes even numbers on and rejects odd ones, one number at a time. */
function evens(onError: OnError<number>): Stage<number, number> {
  checkOnError('evens()', onError);
  return operator<number, number>({
    name: 'evens',
    inService: 1,
    open(upstream, context) {
      const { counts } = context;
      const rejects = openRejects(onError, context);
      const end = (failure: Failure | undefined): Pulled<number> => {
        context.inside(-1);
        if (failure !== undefined) counts.abandoned++;
        return failure ?? pull();
      };
      const take = (answer: Answer<number>): Pulled<number> => {
        if (!Array.isArray(answer)) return answer;
        counts.in++;
        if ((answer[0] as number) % 2 === 0) {
          counts.out++;
          return answer;
        }
        const rejected = rejects.take(new Error('it is odd'), counts.in - 1, answer[0] as number);
        return rejected instanceof Promise ? rejected.then(end) : end(rejected);
      };
      const pull = (): Pulled<number> => {
        const pulled = upstream.pull(1);
        return isLater(pulled) ? pulled.then(take) : take(pulled);
      };
      return {
        pull,
        close(reason) {
          rejects.close();
          upstream.close(reason);
        },
      };
    },
  });
}

function collecting(): { letters: DeadLetter<number>[]; writable: WritableStream<DeadLetter<number>> } {
  const letters: DeadLetter<number>[] = [];
  return { letters, writable: new WritableStream({ write: (letter) => void letters.push(letter) }) };
}

test('deadLetter() writes error, stage, index and item, counts them, and gives the stream back', async () => {
  const { letters, writable } = collecting();
  const seen: number[] = [];
  const run = from([2, 3, 4, 5])
    .pipeThrough(evens(deadLetter(writable)))
    .run((item) => void seen.push(item));
  const summary = await run.finished;
  expect(seen).toEqual([2, 4]);
  expect(letters.map(({ stage, index, item }) => [stage, index, item])).toEqual([
    ['evens', 1, 3],
    ['evens', 3, 5],
  ]);
  expect(letters[0]?.error).toMatchObject({ message: 'it is odd' });
  expect(summary).toMatchObject({ deadLettered: 2, dropped: 0, balanced: true });
  expect(writable.locked).toBe(false);
});

test('deadLetter() makes the stage wait until the stream has taken the letter', async () => {
  let begin: () => void = () => {};
  let release: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const taken = new Promise<void>((resolve) => {
    release = resolve;
  });
  const writable = new WritableStream<DeadLetter<number>>({
    write() {
      begin();
      return taken;
    },
  });
  let isDone = false;
  const run = from([1, 2])
    .pipeThrough(evens(deadLetter(writable)))
    .toArray();
  run.then(() => {
    isDone = true;
  });
  await begun;
  // One turn of the event loop: all that can happen without the stream has happened.
  await new Promise((resolve) => setTimeout(resolve));
  expect(isDone).toBe(false);
  release();
  expect(await run).toEqual([2]);
});

test('deadLetter() lets several stages and runs share a stream', async () => {
  const { letters, writable } = collecting();
  const office = deadLetter(writable);
  const both = from([1, 2])
    .pipeThrough(evens(office))
    .pipeThrough(evens(deadLetter(writable)));
  await Promise.all([both.toArray(), both.toArray()]);
  expect(letters).toHaveLength(2);
  expect(writable.locked).toBe(false);
});

test('deadLetter() fails the stage when the letter cannot be written, with the first error beside it', async () => {
  const full = new Error('the disk is full');
  const writable = new WritableStream<DeadLetter<number>>({
    write() {
      throw full;
    },
  });
  const failing = from([2, 3, 4]).pipeThrough(evens(deadLetter(writable)));
  const error = await failing.toArray().catch((reason) => reason);
  expect(error).toMatchObject({ stage: 'evens', index: 1, cause: full });
  expect(error.others).toEqual([expect.objectContaining({ message: 'it is odd' })]);
  expect(writable.locked).toBe(false);
});

test('deadLetter() leaves a stream alone that somebody else writes to, and says so', async () => {
  const { writable } = collecting();
  writable.getWriter();
  const error = await from([3])
    .pipeThrough(evens(deadLetter(writable)))
    .toArray()
    .catch((reason) => reason);
  expect(error).toMatchObject({ stage: 'evens', index: 0 });
  expect(error.cause).toBeInstanceOf(TypeError);
});

test('openRejects() counts skipped items as dropped, and fails the run with "fail"', async () => {
  const skipping = from([1, 2, 3]).pipeThrough(evens('skip'));
  const summary = await skipping.run(() => {}).finished;
  expect(summary).toMatchObject({ dropped: 2, emitted: 1, balanced: true });
  const failing = from([2, 3]).pipeThrough(evens('fail'));
  await expect(failing.toArray()).rejects.toMatchObject({ stage: 'evens', index: 1 });
});

test('deadLetter() and checkOnError() refuse what cannot be', () => {
  const code = expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' });
  expect(() => deadLetter('rejects.ndjson' as never)).toThrow(code);
  expect(() => checkOnError('f()', 'ignore')).toThrow(/onError is "ignore"/);
  expect(() => checkOnError('f()', null)).toThrow(code);
  expect(() => checkOnError('f()', {})).toThrow(code);
  expect(() => checkOnError('f()', deadLetter(new WritableStream()))).not.toThrow();
});

test.for(['skip', 'fail', 'a dead letter'] as const)('onError tells the observer of each error: %s', async (way) => {
  const told: unknown[] = [];
  const observer = { failed: (error: StageError) => void told.push(error) };
  const onError = way === 'a dead letter' ? deadLetter<number>(collecting().writable) : way;
  const items = from([2, 3, 4, 5]).pipeThrough(evens(onError)).toArray({ observer });
  if (way === 'fail') await items.catch(() => {});
  else expect(await items).toEqual([2, 4]);
  const odd = (index: number): unknown =>
    expect.objectContaining({ stage: 'evens', index, attempt: 1, cause: new Error('it is odd') });
  expect(told).toEqual(way === 'fail' ? [odd(1)] : [odd(1), odd(3)]);
});
