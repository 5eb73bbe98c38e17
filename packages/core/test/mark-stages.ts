import type { Stage } from '@millrace/core';
import { type Answer, isLater, Mark, operator } from '@millrace/core/authoring';

/** A number, or a mark in its place among numbers. */
export type Item = number | Mark;

/** Makes marks of the items that are some. */
export const marks: Stage<Item, number> = operator<Item, number>({
  name: 'marks',
  open(upstream, { counts, inside }) {
    const one = (answer: Answer<Item>): Answer<number> => {
      if (!Array.isArray(answer)) return answer;
      const item = answer[0] as Item;
      counts.in++;
      if (item instanceof Mark) {
        counts.dropped++;
        inside(-1);
        return item;
      }
      counts.out++;
      return [item];
    };
    return {
      pull() {
        const pulled = upstream.pull(1);
        return isLater(pulled) ? pulled.then(one) : one(pulled);
      },
      close: (reason) => upstream.close(reason),
    };
  },
});

/** Makes items of marks. */
export const seen: Stage<number, Item> = operator<number, Item>({
  name: 'seen',
  open(upstream, { counts, inside }) {
    const shown = (answer: Answer<number>): Answer<Item> => {
      if (Array.isArray(answer)) counts.out += answer.length;
      if (Array.isArray(answer)) counts.in += answer.length;
      if (!(answer instanceof Mark)) return answer;
      counts.made++;
      counts.out++;
      inside(1);
      return [answer];
    };
    return {
      pull(max) {
        const pulled = upstream.pull(max);
        return isLater(pulled) ? pulled.then(shown) : shown(pulled);
      },
      close: (reason) => upstream.close(reason),
    };
  },
});
