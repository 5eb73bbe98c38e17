import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.js';

test('Fifo does what an array does', () => {
  const calls = fc.array(
    fc.oneof(
      fc.record({ what: fc.constant('push' as const), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ what: fc.constant('take' as const), count: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ what: fc.constant('putBack' as const), count: fc.integer({ min: 0, max: 5 }) }),
    ),
  );
  fc.assert(
    fc.property(calls, (list) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const { what, count } of list) {
        const items = Array.from({ length: count }, () => next++);
        if (what === 'take') expect(fifo.take(count)).toEqual(model.splice(0, count));
        else if (what === 'putBack') {
          fifo.putBack(items);
          model.unshift(...items);
        } else for (const item of items) model.push(item);
        if (what === 'push') for (const item of items) fifo.push(item);
        expect([fifo.length, fifo.first]).toEqual([model.length, model[0]]);
      }
    }),
  );
});
