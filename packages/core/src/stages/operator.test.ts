import { batch, flatMap, range } from '@millrace/core';
import { type OperatorRooms, operator, roomFor } from '@millrace/core/authoring';
import { expect, test } from 'vitest';

/** Passes everything on, and remembers the rooms that it was opened with. */
function bulk<T>() {
  const opened: OperatorRooms[] = [];
  const stage = operator<T, T>({
    name: 'bulk',
    highWaterMark: roomFor(256),
    inService: roomFor(64),
    open(upstream, { counts }, rooms) {
      opened.push(rooms);
      return {
        async pull() {
          const answer = await upstream.pull(rooms.inService);
          if (Array.isArray(answer)) counts.out = counts.in += answer.length;
          return answer;
        },
        close: (reason) => upstream.close(reason),
      };
    },
  });
  return { stage, opened };
}

const roomsOf = (pipeline: { explain(): { rooms: readonly { stage: string; items: number }[]; bound: number } }) =>
  pipeline
    .explain()
    .rooms.filter(({ stage }) => stage === 'bulk')
    .map(({ items }) => items);

test('operator() makes the room that suits what its items stand for', async () => {
  const items = bulk<number>();
  const plain = range(0, 600).pipeThrough(items.stage);
  expect(roomsOf(plain)).toEqual([256, 64]);
  expect(await plain.count()).toBe(600);
  expect(items.opened).toEqual([{ highWaterMark: 256, inService: 64 }]);

  const batches = bulk<readonly number[]>();
  const tens = range(0, 600)
    .pipeThrough(batch({ maxItems: 10 }))
    .pipeThrough(batches.stage);
  expect(roomsOf(tens)).toEqual([250, 60]);
  const summary = await tens.pipeThrough(flatMap((each) => each)).run(() => {}).finished;
  expect(batches.opened).toEqual([{ highWaterMark: 25, inService: 6 }]);
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
});

test('operator() makes room for one item at least, however much it stands for', async () => {
  const large = bulk<readonly number[]>();
  expect(
    roomsOf(
      range(0, 9)
        .pipeThrough(batch({ maxItems: 5_000 }))
        .pipeThrough(large.stage),
    ),
  ).toEqual([5_000, 5_000]);
  const endless = range(0, 9)
    .pipeThrough(batch({ maxWaitMs: 1 }))
    .pipeThrough(large.stage);
  expect(roomsOf(endless)).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  expect(await endless.count()).toBeGreaterThan(0);
  expect(large.opened).toEqual([{ highWaterMark: 1, inService: 1 }]);
});
