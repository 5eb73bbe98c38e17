import { EventEmitter } from 'node:events';
import { fromEvents } from '@millrace/core';
import { expect, test } from 'vitest';

const listenersOf = (emitter: EventEmitter): number =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);

test('fromEvents() reads an EventEmitter: the first argument, or what select makes of all', async () => {
  const emitter = new EventEmitter();
  const type = Symbol('message');
  const first = fromEvents<number>(emitter, type, { until: ['end', 'close'] }).toArray();
  const both = fromEvents(emitter, type, {
    until: 'close',
    select: (n: number, from: string) => `${n} ${from}`,
  }).toArray();
  emitter.emit(type, 1, 'a');
  emitter.emit('end');
  emitter.emit(type, 2, 'b');
  emitter.emit('close');
  expect([await first, await both]).toEqual([[1], ['1 a', '2 b']]);
  expect(listenersOf(emitter)).toBe(0);
});

test('fromEvents() fails with the error of an EventEmitter, unless errors are what is read or not listened to', async () => {
  const [emitter, cause] = [new EventEmitter(), new Error('torn')];
  const failed = fromEvents(emitter, 'message').toArray();
  emitter.emit('message', 1);
  emitter.emit('error', cause);
  await expect(failed).rejects.toMatchObject({ stage: 'events', index: 1, cause });
  expect(listenersOf(emitter)).toBe(0);
  const errors = fromEvents(emitter, 'error', { until: 'close' }).toArray();
  emitter.emit('error', cause);
  emitter.emit('close');
  expect(await errors).toEqual([cause]);
  const deaf = fromEvents(emitter, 'message', { failOn: [], until: 'close' }).toArray();
  expect(() => emitter.emit('error', cause)).toThrow(cause);
  emitter.emit('close');
  expect(await deaf).toEqual([]);
});
