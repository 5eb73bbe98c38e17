import { range, type Stage } from '@millrace/core';
import { type Answer, Failure, operator, type Puller, type StageContext } from '@millrace/core/authoring';
import { show } from './show.js';

// Technique 5, an adapter of one's own: an operator is a function from the puller before it to a puller of its own. It
// keeps its counts, so that the run adds up however it ends, and goes with every source and stage.
export function inBatches<T>(size: number): Stage<T, T[]> {
  return operator<T, T[]>({ name: 'inBatches', inService: size, weight: { times: size }, open });

  function open(upstream: Puller<T>, { counts, weight, inside }: StageContext): Puller<T[]> {
    const held: T[] = [];
    let behind: Exclude<Answer<T>, T[]> | undefined;
    function release(as: 'absorbed' | 'abandoned', weighing: number): T[] {
      counts[as] += held.length;
      inside((weighing - held.length) * weight);
      return held.splice(0);
    }
    async function pull(): Promise<Answer<T[]>> {
      while (held.length < size && behind === undefined) {
        const answer = await upstream.pull(size - held.length);
        if (Array.isArray(answer)) {
          held.push(...answer);
          counts.in += answer.length;
        } else behind = answer;
      }
      if (behind instanceof Failure) release('abandoned', 0);
      const next = held.length === 0 ? behind : undefined;
      if (next === undefined) counts.out = ++counts.made;
      else behind = undefined;
      return next ?? [release('absorbed', size)];
    }
    function close(reason: unknown): void {
      upstream.close(reason);
      release('abandoned', 0);
    }
    return { pull, close };
  }
}

await show(import.meta.url, () => range(0, 12).pipeThrough(inBatches(5)).toArray());
