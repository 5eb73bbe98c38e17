import type { Pipeline } from '@millrace/core';
import { source } from '@millrace/core/authoring';

/** Numbers from 0, with positions, now or by a promise. */
export const numbersOf = (items: number, isLater: boolean, acknowledged: number[] = []): Pipeline<number> =>
  source<number>({
    name: 'numbers',
    open() {
      let next = 0;
      const give = (max: number): number[] | undefined => {
        const count = Math.min(max, items - next);
        return count === 0 ? undefined : Array.from({ length: count }, () => next++);
      };
      return {
        read: (max) => (isLater ? Promise.resolve().then(() => give(max)) : give(max)),
        close() {},
        position: () => next,
        resume: (position) => {
          next = position as number;
        },
        acknowledge: (position) => void acknowledged.push(position as number),
      };
    },
  });
