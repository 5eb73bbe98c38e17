import { type FoldedWindow, from, type ItemsWindow, type Pipeline, window } from '@millrace/core';
import { expectTypeOf, test } from 'vitest';

const events = from([{ at: 1, user: 'a' }]);

test('types flow through window()', () => {
  const plain = events.pipeThrough(window({ sizeMs: 10, timeMs: ({ at }) => at }));
  expectTypeOf(plain).toEqualTypeOf<Pipeline<ItemsWindow<{ at: number; user: string }>>>();
  const keyed = events.pipeThrough(window({ gapMs: 10, keyBy: ({ user }) => user }));
  expectTypeOf(keyed).toEqualTypeOf<Pipeline<ItemsWindow<{ at: number; user: string }, string>>>();
  const folded = events.pipeThrough(
    window({ sizeMs: 10, timeMs: ({ at }) => at, seed: () => 0, fold: (sum, { at }) => sum + at }),
  );
  expectTypeOf(folded).toEqualTypeOf<Pipeline<FoldedWindow<number>>>();
  const both = events.pipeThrough(
    window({ sizeMs: 10, keyBy: ({ user }) => user, seed: () => [''], fold: (all, { user }) => [...all, user] }),
  );
  expectTypeOf(both).toEqualTypeOf<Pipeline<FoldedWindow<string[], string>>>();
});

test('window() refuses a function of other items', () => {
  // @ts-expect-error the items have no time
  events.pipeThrough(window({ sizeMs: 10, timeMs: (each: { time: number }) => each.time }));
});
