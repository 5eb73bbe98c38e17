import {
  batch,
  compose,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  partitionBy,
  range,
  type StageError,
  take,
} from '@millrace/core';
import { describe, expect, test } from 'vitest';

const clean = compose(
  filter((n: number) => n % 2 === 0),
  map((n) => n * 10),
  { name: 'clean' },
);

describe('compose()', () => {
  test('compose() gives what its stages give one behind the other, any number of times', async () => {
    const pairs = compose(clean, batch({ maxItems: 2 }));
    for (let time = 0; time < 2; time++) {
      expect(await range(0, 7).pipeThrough(pairs).toArray()).toEqual([
        [0, 20],
        [40, 60],
      ]);
    }
    expect(await range(0, 5).pipeThrough(clean).pipeThrough(clean).toArray()).toEqual([0, 200, 400]);
  });

  test('compose() of one stage is that stage', async () => {
    expect(
      await range(0, 3)
        .pipeThrough(compose(map((n: number) => -n)))
        .toArray(),
    ).toEqual([-0, -1, -2]);
  });

  test('compose() fuses with what is before and behind it', () => {
    const plan = range(0, 9)
      .pipeThrough(map((n) => n + 1))
      .pipeThrough(compose(clean, take(2)))
      .explain();
    expect(String(plan).split('\n')).toEqual([
      'at most 0 items inside',
      '  fused:     range → map → clean/filter → clean/map → take',
    ]);
  });

  test('compose() names its stages, nested ones by all names', async () => {
    const check = map((n: number) => {
      if (n === 3) throw new Error('three');
      return n;
    });
    const outer = compose(
      compose(check, { name: 'inner' }),
      mapAsync((n) => n),
      { name: 'outer' },
    );
    const error: StageError = await range(0, 9)
      .pipeThrough(outer)
      .toArray()
      .then(undefined, (reason) => reason);
    expect([error.stage, error.index]).toEqual(['outer/inner/map', 3]);
    expect(String(range(0, 9).pipeThrough(outer).pipeThrough(outer).explain())).toContain('outer/mapAsync 2');
  });

  test('compose() names a stage with a sub-pipeline', () => {
    const byParity = partitionBy(
      (n: number) => n % 2,
      { maxKeys: 2 },
      (branch) => branch.pipeThrough(batch({ maxItems: 2 })),
    );
    const names = range(0, 9)
      .pipeThrough(compose(byParity, { name: 'outer' }))
      .topology().nodes;
    expect(names.map(({ name }) => name)).toEqual(['range', 'outer/partitionBy', 'batch', 'outer/partitionBy merge']);
  });

  test('compose() adds up the bound of its stages', () => {
    const work = compose(
      flatMap((n: number) => [n, n]),
      mapAsync((n) => n, { concurrency: 4 }),
    );
    expect(from([1]).pipeThrough(work).explain().bound).toBe(5);
  });

  test('compose() gives a native pair', async () => {
    const stream = new ReadableStream<number>({
      start(controller) {
        for (const n of [1, 2, 3, 4]) controller.enqueue(n);
        controller.close();
      },
    });
    expect(await from(stream.pipeThrough(compose(clean, map(String)))).toArray()).toEqual(['20', '40']);
  });

  test('compose() refuses what is not a stage, and wrong options', () => {
    const any = compose as (...given: unknown[]) => unknown;
    expect(() => any()).toThrow('Cannot build compose(): the first stage is undefined');
    expect(() => any({ name: 'clean' })).toThrow('stage 1 is an object');
    expect(() => any(clean, () => {})).toThrow('stage 2 is a function');
    expect(() => any(clean, new TextDecoderStream())).toThrow('stage 2 is an object (TextDecoderStream)');
    expect(() => any(clean, { names: [] })).toThrow('option "names" is unknown');
    expect(() => any(clean, { name: '' })).toThrow(TypeError);
  });
});
