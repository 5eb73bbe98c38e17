import { channel, take } from '@millrace/core';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

const { settle } = virtualClock();

test('channel() of 50 never has more than 50 of 100 items wait, and loses none', async () => {
  const { sender, receiver } = channel<number>(50);
  let admitted = 0;
  let mostWaiting = 0;
  const received: number[] = [];
  const produced = (async () => {
    for (let n = 0; n < 100; n++) {
      await sender.send(n);
      admitted++;
      mostWaiting = Math.max(mostWaiting, admitted - received.length);
    }
    sender.close();
  })();
  await settle();
  expect(admitted).toBe(50);
  for await (const n of receiver) received.push(n);
  await produced;
  expect(received).toEqual(Array.from({ length: 100 }, (_, n) => n));
  // What was taken and is being handed over waits no more, but has not been seen here.
  expect(mostWaiting).toBeLessThanOrEqual(51);
});

test('channel() ends when all senders are closed, and not before', async () => {
  const { sender, receiver } = channel<string>(4);
  const other = sender.clone();
  let isOver = false;
  const received = receiver.toArray().finally(() => {
    isOver = true;
  });
  void sender.send('a');
  sender.close();
  sender.close();
  await settle();
  expect(isOver).toBe(false);
  void other.send('b');
  other.close();
  expect(await received).toEqual(['a', 'b']);
  expect(() => sender.clone()).toThrow('Cannot send the item: this sender is closed (must be open)');
});

test('channel() keeps the order of sends that wait', async () => {
  const { sender, receiver } = channel<number>(1);
  const sends = [1, 2, 3, 4].map((n) => sender.send(n));
  expect(sends[0]).toBeUndefined();
  expect(sends[1]).toBeInstanceOf(Promise);
  sender.close();
  expect(await receiver.toArray()).toEqual([1, 2, 3, 4]);
  await Promise.all(sends);
});

test('channel() refuses what is sent, and what waits to be, when its last receiver is gone', async () => {
  const { sender, receiver } = channel<number>(2);
  const run = receiver.run(sinkProbe<number>({ highWaterMark: 0 }).sink);
  await settle();
  const sends = [1, 2, 3, 4].map((n) => sender.send(n));
  expect(sends.map((sent) => sent === undefined)).toEqual([true, true, true, false]);
  const refused = expect(sends[3]).rejects.toMatchObject({
    code: 'ERR_CORE_CHANNEL_CLOSED',
    message: 'Cannot send the item: the receiver is closed (must be open)',
  });
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  await refused;
  expect(() => sender.send(5)).toThrow(expect.objectContaining({ code: 'ERR_CORE_CHANNEL_CLOSED' }));
});

test('channel() gives each item to one of the runs that share it, each as many as it takes', async () => {
  const { sender, receiver } = channel<number>(8);
  const firsts = receiver.pipeThrough(take(3)).toArray();
  const rest = receiver.toArray();
  for (let n = 0; n < 8; n++) await sender.send(n);
  sender.close();
  const [some, others] = await Promise.all([firsts, rest]);
  expect(some).toHaveLength(3);
  expect([...some, ...others].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('channel() gives an item on its way to a run that ends in the same moment to the next', async () => {
  const { sender, receiver } = channel<number>(8);
  const seen: number[] = [];
  const ending = receiver.run((n) => void seen.push(n));
  await settle();
  const rest = receiver.toArray();
  await settle();
  void sender.send(1);
  ending.abort('enough');
  void sender.send(2);
  sender.close();
  await expect(ending.finished).rejects.toBe('enough');
  expect([seen, (await rest).sort()]).toEqual([[], [1, 2]]);
});

test('channel() keeps an item on its way to the last run, where nothing else is to come, for a later one', async () => {
  const { sender, receiver } = channel<number>(1);
  const ending = receiver.run(() => {});
  await settle();
  void sender.send(1);
  sender.close();
  ending.abort('enough');
  await expect(ending.finished).rejects.toBe('enough');
  expect(await receiver.toArray()).toEqual([1]);
});
