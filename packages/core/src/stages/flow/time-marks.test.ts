import { debounce, delay, type Stage, sample, throttle } from '@millrace/core';
import { type Answer, isLater, Mark, operator } from '@millrace/core/authoring';
import { sourceProbe, type VirtualClock, virtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';

// What the stages of time do with marks.

/** Lets a mark follow each item that is a multiple of 10. */
const marked = operator<number, number>({
  name: 'marked',
  open(upstream, { counts }) {
    let isMark = false;
    const took = (answer: Answer<number>): Answer<number> => {
      if (!Array.isArray(answer)) return answer;
      counts.out = ++counts.in;
      isMark = (answer[0] as number) % 10 === 0;
      return answer;
    };
    return {
      pull() {
        const pulled = isMark ? new Mark('barrier') : upstream.pull(1);
        isMark = false;
        return isLater(pulled) ? pulled.then(took) : took(pulled);
      },
      close: (reason) => upstream.close(reason),
    };
  },
});

/** Notes what comes, and when. */
const noted = (log: string[], clock: VirtualClock): Stage<number, number> =>
  operator<number, number>({
    name: 'noted',
    open(upstream, { counts }) {
      const took = (answer: Answer<number>): Answer<number> => {
        if (answer instanceof Mark) log.push(`mark at ${clock.now()}`);
        if (!Array.isArray(answer)) return answer;
        log.push(`${answer} at ${clock.now()}`);
        counts.out = counts.in += answer.length;
        return answer;
      };
      return {
        pull(max) {
          const pulled = upstream.pull(max);
          return isLater(pulled) ? pulled.then(took) : took(pulled);
        },
        close: (reason) => upstream.close(reason),
      };
    },
  });

/** What comes of 1, 10, 2 and 20, an item every 4 ms, with marks behind 10 and 20. */
async function passed(stage: Stage<number, number>): Promise<string[]> {
  const clock = virtualClock();
  const log: string[] = [];
  const source = sourceProbe<number>();
  const passing = source.pipeline.pipeThrough(marked).pipeThrough(stage).pipeThrough(noted(log, clock));
  const run = passing.run(() => {}, { clock });
  for (const n of [1, 10, 2, 20]) {
    await clock.settle();
    source.release(n);
    await clock.advance(4);
  }
  source.end();
  await clock.until(run.finished);
  return log;
}

test('debounce() hands on what it holds before a mark, and the mark', async () => {
  expect(await passed(debounce({ waitMs: 100 }))).toEqual(['10 at 4', 'mark at 4', '20 at 12', 'mark at 12']);
});

test('sample() hands on what it holds before a mark, and the mark', async () => {
  expect(await passed(sample({ intervalMs: 100 }))).toEqual(['10 at 4', 'mark at 4', '20 at 12', 'mark at 12']);
});

test('throttle() hands on what it holds before a mark, and the mark', async () => {
  const stage = throttle<number>({ intervalMs: 100, trailing: true });
  expect(await passed(stage)).toEqual(['1 at 0', '10 at 4', 'mark at 4', '20 at 12', 'mark at 12']);
});

test('delay() reads on behind a mark, which waits as the items do', async () => {
  const log = await passed(delay({ delayMs: 10 }));
  expect(log).toEqual(['1 at 10', '10 at 14', 'mark at 14', '2 at 18', '20 at 22', 'mark at 22']);
});
