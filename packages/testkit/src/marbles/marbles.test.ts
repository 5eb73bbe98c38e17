import { batch, buffer, filter, map, mapAsync, take } from '@millrace/core';
import { marbles } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

describe('marbles()', () => {
  test('gives each item at its tick, and the end at its own', async () => {
    const { source, expect: expectMarbles } = marbles({ values: { a: 1, b: 2, x: 10, y: 20 } });
    const tens = source<number>('a--b-|').pipeline.pipeThrough(map((n) => n * 10));
    await expectMarbles(tens, 'x--y-|');
  });

  test('takes a group for one tick, and spaces for nothing', async () => {
    const { source, expect: expectMarbles } = marbles();
    await expectMarbles(source('(ab)  -c(d|)').pipeline, '(ab)-c(d|)');
  });

  test('lets a source fail, and compares what it failed with', async () => {
    const error = new Error('no');
    const { source, expect: expectMarbles } = marbles({ error });
    await expectMarbles(source('a-#').pipeline, 'a-#');
    const failing = source('a|').pipeline.pipeThrough(map(() => expect.fail('another')));
    await expect(expectMarbles(failing, '#')).rejects.toThrow('it is "#", where # is StageError');
  });

  test('takes any failure where no error is given', async () => {
    const { source, expect: expectMarbles } = marbles();
    const stage = map((letter: string) => (letter === 'b' ? expect.fail('no') : letter));
    await expectMarbles(source<string>('a-b-c|').pipeline.pipeThrough(stage), 'a-#');
  });

  test('knows stages that wait, with ticks of any length', async () => {
    const { source, expect: expectMarbles, clock } = marbles({ tickMs: 50, values: { x: ['a', 'b'], y: ['c'] } });
    const batches = batch<string>({ maxItems: 2, maxWaitMs: 150 });
    await expectMarbles(source<string>('a-b--c------|').pipeline.pipeThrough(batches), '--x-----y---|');
    const slow = mapAsync((letter: string) => clock.sleep(100).then(() => letter));
    await expectMarbles(source<string>('(ab)-----|').pipeline.pipeThrough(slow), '--a-b-|');
  });

  test('shows that items wait while nobody asks', async () => {
    const { source, expect: expectMarbles, clock } = marbles();
    const slow = mapAsync((letter: string) => clock.sleep(3).then(() => letter));
    await expectMarbles(source<string>('abc|').pipeline.pipeThrough(slow), '---a--b--(c|)');
    await expectMarbles(source<string>('abc|').pipeline.pipeThrough(buffer(2)).pipeThrough(slow), '---a--b--(c|)');
  });

  test('draws when a source was first read, and let go of', async () => {
    const { source, expect: expectMarbles } = marbles();
    const whole = source('a-b|');
    expect(whole.reading).toBe('');
    await expectMarbles(whole.pipeline, 'a-b|');
    expect(whole.reading).toBe('^--!');
    const taken = source('abcdef|');
    await expectMarbles(taken.pipeline.pipeThrough(take(3)), 'ab(c|)');
    expect(taken.reading).toBe('^-!');
    const left = source('a-----');
    await expectMarbles(left.pipeline, 'a--!');
    expect(left.reading).toBe('^--!');
    const cancelled = source('-ab|');
    await expectMarbles(cancelled.pipeline, '!');
    expect(cancelled.reading).toBe('(^!)');
  });

  test('looks no further than the diagram goes', async () => {
    const { source, expect: expectMarbles } = marbles();
    await expectMarbles(source('a-b-c|').pipeline, 'a-b-');
  });

  test.for([
    ['an item that comes late', 'a--b|', 'a-b-|', 'it is "a--b|" (must be "a-b-|")'],
    ['another item', 'a-c|', 'a-b|', 'it is "a-c|" (must be "a-b|")'],
    ['an item too many', 'a-b-c|', 'a-b---|', 'it is "a-b-c|"'],
    ['an item too few', 'a---|', 'a-b-|', 'it is "a---|"'],
    ['another order in one tick', '(ab)|', '(ba)|', 'it is "(ab)|" (must be "(ba)|")'],
    ['an end that never comes', 'a--', 'a-|', 'it is "a" (must be "a-|")'],
    ['an end that comes late', 'a----|', 'a-|', 'it is "a----|"'],
    ['an end instead of a failure', 'a|', 'a#', 'it is "a|" (must be "a#")'],
    ['an end before the consumer goes', 'a|', 'a--!', 'it is "a|" (must be "a--!")'],
  ])('refuses %s', async ([, given, wanted, message]) => {
    const { source, expect: expectMarbles } = marbles();
    const error: unknown = await expectMarbles(source(given as string).pipeline, wanted as string).catch((e) => e);
    expect(error).toMatchObject({ code: 'ERR_TESTKIT_MARBLES' });
    expect((error as Error).message).toContain(message);
  });

  test('shows items that have no letter', async () => {
    const { source, expect: expectMarbles } = marbles({ values: { a: 1 } });
    const stage = map((n: number) => [n, n]);
    await expect(expectMarbles(source<number>('a-|').pipeline.pipeThrough(stage), 'x-|')).rejects.toThrow(
      'Cannot accept what came: it is "?-|", where ? is [1,1] (must be "x-|")',
    );
  });

  test('leaves nothing behind, whatever came', async () => {
    const { source, expect: expectMarbles, clock } = marbles();
    const items = source('abc--');
    await expectMarbles(items.pipeline.pipeThrough(filter(() => false)), '-----');
    await expect(expectMarbles(items.pipeline, 'x|')).rejects.toThrow('it is "abc"');
    expect([clock.pendingTimers, items.reading.at(-1)]).toEqual([0, '!']);
  });

  test.for([
    ['(ab', 'with groups such as "(ab)", each of them closed'],
    ['a)', 'with groups such as "(ab)", one after the other'],
    ['((a))', 'with groups such as "(ab)", one after the other'],
    ['(a-b)', 'without "-" in a group'],
    ['a|b', 'with nothing behind its end'],
    ['a!', 'without "!"'],
    ['^a', 'without "^"'],
  ])('refuses the diagram %s of a source', ([diagram, mustBe]) => {
    expect(() => marbles().source(diagram as string)).toThrow(
      `Cannot build source(): the diagram is "${diagram}" (must be ${mustBe})`,
    );
  });

  test('refuses wrong options by name', () => {
    expect(() => marbles({ value: {} } as never)).toThrow('option "value" is unknown');
    expect(() => marbles({ tickMs: 0 })).toThrow('Cannot build marbles(): tickMs is 0 (must be above 0)');
  });
});
