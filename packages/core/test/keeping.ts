import type { Stage } from '@millrace/core';
import { type Answer, isLater, operator, type Pulled } from '@millrace/core/authoring';

/**
 * Makes an operator that keeps something from item to item: `each` gives what becomes of an item, one other or nothing,
 * and may change what is kept.
 */
export function keeping<K, T>(name: string, begin: () => K, each: (kept: K, item: T) => T[]): Stage<T, T> {
  return operator<T, T>({
    name,
    weight: 'one',
    open(upstream, { counts, inside }) {
      let kept = begin();
      const took = (items: T[]): T[] => {
        const made = items.flatMap((item) => each(kept, item));
        counts.in += items.length;
        counts.absorbed += items.length;
        counts.made += made.length;
        counts.out += made.length;
        inside(made.length - items.length);
        return made;
      };
      const next = (answer: Answer<T>): Pulled<T> => {
        if (!Array.isArray(answer)) return answer;
        const made = took(answer);
        return made.length === 0 ? pull() : made;
      };
      const pull = (): Pulled<T> => {
        const pulled = upstream.pull(1);
        return isLater(pulled) ? pulled.then(next) : next(pulled);
      };
      return {
        pull,
        close(reason) {
          kept = begin();
          upstream.close(reason);
        },
        save: () => kept,
        restore(saved) {
          kept = saved as K;
        },
      };
    },
  });
}
