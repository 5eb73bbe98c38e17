import { channel, mapAsync, take } from '@millrace/core';
import { sinkProbe, virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
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
  expect(sends.map((sent) => sent === undefined)).toEqual([true, true, false, false]);
  const refused = [2, 3].map((at) =>
    expect(sends[at]).rejects.toMatchObject({
      code: 'ERR_CORE_CHANNEL_CLOSED',
      message: 'Cannot send the item: the receiver is closed (must be open)',
    }),
  );
  run.abort('enough');
  await expect(run.finished).rejects.toBe('enough');
  await Promise.all(refused);
  expect(() => sender.send(5)).toThrow(expect.objectContaining({ code: 'ERR_CORE_CHANNEL_CLOSED' }));
});

test('channel() gives each item to one of the runs that share it, each as many as it takes', async () => {
  const { sender, receiver } = channel<number>(8);
  const firsts = receiver.pipeThrough(take(3)).toArray();
  const rest = receiver.toArray();
  for (let n = 0; n < 8; n++) await sender.send(n);
  sender.close();
  const [some, others] = await Promise.all([firsts, rest]);
  // Who has used up the time of the thread gets less meanwhile.
  expect(some.length).toBeLessThanOrEqual(3);
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

test('channel() shares what is sent in one go among the runs that wait', async () => {
  const { sender, receiver } = channel<number>(8);
  const received = [0, 1, 2].map(() => receiver.toArray());
  await settle();
  for (let n = 0; n < 7; n++) void sender.send(n);
  sender.close();
  expect(await Promise.all(received)).toEqual([
    [0, 1, 2],
    [3, 4],
    [5, 6],
  ]);
});

test('channel() works for all of its consumers while one of them is slow', async () => {
  const clock = virtualClock();
  const { sender, receiver } = channel<number>(2);
  const seen: number[] = [];
  const slow = receiver.pipeThrough(mapAsync((n) => clock.sleep(1000).then(() => n))).toArray({ clock });
  const fast = receiver.pipeThrough(mapAsync(async (n) => void seen.push(n))).count({ clock });
  const produced = (async () => {
    for (let n = 0; n < 50; n++) await sender.send(n);
    sender.close();
  })();
  await clock.settle();
  expect(seen).toHaveLength(49);
  await produced;
  expect((await clock.until(Promise.all([slow, fast]))).flat()).toHaveLength(2);
});

test('channel() refuses what is sent by a sender that is closed, and takes it from its clone', async () => {
  const { sender, receiver } = channel<number>(2);
  const { send, clone, close } = sender;
  const other = clone();
  close();
  expect(() => send(1)).toThrow('Cannot send the item: this sender is closed (must be open)');
  void other.send(2);
  other.close();
  expect(await receiver.toArray()).toEqual([2]);
  expect(await receiver.toArray()).toEqual([]);
});

test('channel() gives every item once, in the order of its producer, whoever takes how many', async () => {
  const plan = fc.record({
    capacity: fc.integer({ min: 1, max: 6 }),
    producers: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 }),
    consumers: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    isAwaited: fc.boolean(),
  });
  const check = fc.asyncProperty(plan, async ({ capacity, producers, consumers, isAwaited }) => {
    const { sender, receiver } = channel<readonly [producer: number, n: number]>(capacity);
    const received = consumers.map((concurrency, at) =>
      (at % 2 === 0 ? receiver : receiver.pipeThrough(mapAsync(async (item) => item, { concurrency }))).toArray(),
    );
    const produced = producers.map(async (items, producer) => {
      const own = sender.clone();
      for (let n = 0; n < items; n++) {
        const room = own.send([producer, n]);
        if (isAwaited || room !== undefined) await room;
      }
      own.close();
    });
    sender.close();
    await Promise.all(produced);
    const lists = await Promise.all(received);
    const model = producers.flatMap((items, producer) => Array.from({ length: items }, (_, n) => `${producer} ${n}`));
    expect(lists.flatMap((list) => list.map(([producer, n]) => `${producer} ${n}`)).sort()).toEqual(model.sort());
    for (const list of lists) {
      for (const producer of producers.keys()) {
        const own = list.filter(([from]) => from === producer).map(([, n]) => n);
        expect(own).toEqual([...own].sort((a, b) => a - b));
      }
    }
  });
  await fc.assert(check, { numRuns: 100 });
});
