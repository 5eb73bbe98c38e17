import { from, range, runAll, type Sink, StageError } from '@millrace/core';
import { expect, test } from 'vitest';

const own: Sink<number> = { name: 'mine', open: () => ({ write() {} }) };

test('into() names functions and writable streams, and errors say which failed', async () => {
  const [a, b, c] = range(0, 8).broadcast(3);
  const run = runAll(
    a.into(() => {}, { name: 'cache' }),
    b.into((n) => n === 5 && Promise.reject(new Error('disk full')), { name: 'archive' }),
    c.into(new WritableStream(), { name: 'socket' }),
  );
  expect(String(run.explain())).toMatch(/cache[\s\S]*archive[\s\S]*socket/);
  const error = await run.finished.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StageError);
  expect(error).toMatchObject({ stage: 'archive', index: 5 });
});

test('into() calls sinks as ever without a name, and leaves a Sink its own', async () => {
  const [a, b, c] = from([1]).broadcast(3);
  const text = String(
    runAll(
      a.into(() => {}),
      b.into(new WritableStream()),
      c.into(own),
    ).explain(),
  );
  expect(text).toMatch(/forEach[\s\S]*writable[\s\S]*mine/);
});

test('pipeTo() names its stream', async () => {
  const broken = new WritableStream({ write: () => Promise.reject(new Error('full')) });
  await expect(from([1]).pipeTo(broken, { name: 'upload' })).rejects.toMatchObject({ stage: 'upload' });
});

test('into() refuses a name that is none, one for a Sink, and options that a function has no use for', () => {
  const numbers = from([1]);
  expect(() => numbers.into(() => {}, { name: '' })).toThrow('name is "" (must be a string of one character or more)');
  expect(() => numbers.into(own, { name: 'yours' })).toThrow(
    'option "name" is not for a Sink (must be the name of the sink itself)',
  );
  expect(() => numbers.into(() => {}, { name: 'a', preventClose: true })).toThrow(
    'option "preventClose" is not for such a sink (must be those of a WritableStream)',
  );
  expect(() => numbers.into(() => {}, { nam: 'a' } as never)).toThrow('option "nam" is unknown');
});
