import { fromEvents, map, mapAsync, type Pipeline, take } from '@millrace/core';
import { virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** A target that knows how many listeners it has. */
class Target extends EventTarget {
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }

  say(...numbers: readonly number[]): void {
    for (const n of numbers) this.dispatchEvent(Object.assign(new Event('said'), { n }));
  }
}

type Said = Event & { readonly n: number };

const numbersOf = (target: Target, options: object = {}): Pipeline<number> =>
  fromEvents<Said>(target, 'said', { until: 'closed', ...options }).pipeThrough(map(({ n }) => n));

test('fromEvents() gives the events that come from when the run is made, until what ends them', async () => {
  const target = new Target();
  const numbers = numbersOf(target);
  target.say(1);
  expect(target.listeners).toBe(0);
  const read = numbers.toArray();
  target.say(2, 3);
  await Promise.resolve();
  target.say(4);
  target.dispatchEvent(new Event('closed'));
  target.say(5);
  expect(await read).toEqual([2, 3, 4]);
  expect(target.listeners).toBe(0);
});

test('fromEvents() ends when the signal of until aborts, behind what waits', async () => {
  const [target, controller] = [new Target(), new AbortController()];
  const numbers = numbersOf(target, { until: controller.signal });
  const read = numbers.toArray();
  target.say(1, 2);
  controller.abort();
  target.say(3);
  expect(await read).toEqual([1, 2]);
  expect(await numbers.toArray()).toEqual([]);
  expect(target.listeners).toBe(0);
});

test.for([
  ['drop-oldest', [4, 5]],
  ['drop-newest', [1, 2]],
] as const)(
  'fromEvents() with %s keeps the events that it says, and counts the others as dropped',
  async ([overflow, kept]) => {
    const target = new Target();
    const seen: number[] = [];
    const run = numbersOf(target, { highWaterMark: 2, overflow }).run((n) => void seen.push(n));
    target.say(1, 2, 3, 4, 5);
    target.dispatchEvent(new Event('closed'));
    expect(await run.finished).toMatchObject({ read: 5, emitted: 2, dropped: 3, balanced: true });
    expect(seen).toEqual(kept);
  },
);

test('fromEvents() loses no event, and keeps the order, however events and reads take turns', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(4)), fc.boolean(), async (turns, isSlow) => {
      const target = new Target();
      const numbers = numbersOf(target);
      const read = (isSlow ? numbers.pipeThrough(mapAsync(async (n) => n)) : numbers).toArray();
      let said = 0;
      for (const count of turns) {
        for (let n = 0; n < count; n++) target.say(said++);
        await Promise.resolve();
      }
      target.dispatchEvent(new Event('closed'));
      expect(await read).toEqual(Array.from({ length: said }, (_, n) => n));
    }),
  );
});

test('fromEvents() fails behind the events that wait when one more comes than may', async () => {
  const target = new Target();
  const seen: number[] = [];
  const run = numbersOf(target, { highWaterMark: 2 }).run((n) => void seen.push(n));
  target.say(1, 2, 3, 4);
  await expect(run.finished).rejects.toMatchObject({
    stage: 'events',
    index: 2,
    cause: {
      code: 'ERR_CORE_OVERFLOW',
      message: 'Cannot keep the event: 2 wait already (must be fewer, or another overflow policy)',
    },
  });
  expect([seen, target.listeners]).toEqual([[1, 2], 0]);
});

test('fromEvents() fails with the event that failOn names, or its error, and with what select throws', async () => {
  const target = new Target();
  for (const error of [undefined, new Error('torn')]) {
    const read = numbersOf(target, { failOn: ['torn', 'lost'] }).toArray();
    target.say(1);
    const event = Object.assign(new Event('torn'), error === undefined ? {} : { error });
    target.dispatchEvent(event);
    await expect(read).rejects.toMatchObject({ stage: 'events', index: 1, cause: error ?? event });
  }
  const cause = new Error('no');
  const select = (): never => {
    throw cause;
  };
  const run = fromEvents(target, 'said', { select }).toArray();
  target.say(1);
  await expect(run).rejects.toMatchObject({ stage: 'events', index: 0, cause });
  expect(target.listeners).toBe(0);
});

test('fromEvents() removes its listeners when the run ends, however it does, and counts what waited', async () => {
  const target = new Target();
  const firsts = numbersOf(target)
    .pipeThrough(take(1))
    .run(() => {});
  target.say(1, 2, 3);
  expect(await firsts.finished).toMatchObject({ read: 3, emitted: 1, abandoned: 2, balanced: true });
  expect(target.listeners).toBe(0);

  const aborted = numbersOf(target).run(() => {});
  aborted.abort('enough');
  await expect(aborted.finished).rejects.toBe('enough');
  expect(target.listeners).toBe(0);

  const clock = virtualClock();
  const drained = numbersOf(target).run(() => {}, { clock });
  await clock.settle();
  target.say(1);
  await clock.settle();
  const receipt = await drained.drain({ deadlineMs: 1_000 });
  expect(receipt).toMatchObject({ leftOpen: [] });
  expect(await drained.finished).toMatchObject({ read: 1, emitted: 1, balanced: true });
  expect(target.listeners).toBe(0);

  const items = numbersOf(target).values();
  await items.return?.();
  expect(target.listeners).toBe(0);
});

test('fromEvents() refuses wrong arguments by name', () => {
  const refused = (...args: readonly unknown[]): string => {
    try {
      fromEvents(...(args as [EventTarget, string]));
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const target = new Target();
  expect(
    [
      [{}, 'said'],
      [target, ''],
      [target, 'said', { overflow: 'block' }],
      [target, 'said', { highWaterMark: 0 }],
      [target, 'said', { until: 1 }],
      [target, 'said', { failOn: [''] }],
      [target, 'said', { select: 'n' }],
      [target, 'said', { once: true }],
    ].map((args) => refused(...args)),
  ).toEqual([
    'Cannot build fromEvents(): target is an object (Object) (must be an EventTarget or an EventEmitter)',
    'Cannot build fromEvents(): type is "" (must be the name of an event)',
    'Cannot build fromEvents(): overflow is "block" (must be "drop-oldest", "drop-newest", "fail": the source cannot be told to wait)',
    'Cannot build fromEvents(): highWaterMark is 0 (must be a whole number of 1 or more)',
    'Cannot build fromEvents(): until is 1 (must be the name of an event, or an array of them, or an AbortSignal)',
    'Cannot build fromEvents(): failOn is an array (must be the name of an event, or an array of them)',
    'Cannot build fromEvents(): select is "n" (must be a function)',
    'Cannot build fromEvents(): option "once" is unknown (must be one of "name", "highWaterMark", "overflow", "until", "failOn", "select")',
  ]);
});
