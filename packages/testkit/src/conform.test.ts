import { filter, map, mapAsync, type Stage } from '@millrace/core';
import { type Answer, END, Failure, isLater, operator, type Puller } from '@millrace/core/authoring';
import { assertConforms, type ConformReport, conform, virtualClock } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';

type Counts = { in: number; out: number; filtered: number; abandoned: number };
type Open = (upstream: Puller<number>, counts: Counts, inside: (items: number) => void) => Puller<number>;

/** An operator of which a test breaks one part. */
function broken(open: Open, inService = 0): () => Stage<number, number> {
  return () =>
    operator<number, number>({
      name: 'broken',
      inService,
      open: (upstream, { counts, inside }) => open(upstream, counts, inside),
    });
}

const passing: Open = (upstream, counts) => ({
  pull: (max) => then(upstream.pull(max), (answer) => counted(answer, counts)),
  close: (reason) => upstream.close(reason),
});

function then(
  pulled: ReturnType<Puller<number>['pull']>,
  next: (answer: Answer<number>) => Answer<number>,
): ReturnType<Puller<number>['pull']> {
  return isLater(pulled) ? pulled.then(next) : next(pulled);
}

function counted(answer: Answer<number>, counts: Counts): Answer<number> {
  if (!Array.isArray(answer)) return answer;
  counts.in += answer.length;
  counts.out += answer.length;
  return answer;
}

function brokenLaws({ laws }: ConformReport): string[] {
  return laws.filter(({ passed }) => !passed).map(({ name }) => name);
}

test('conform() accepts an operator that passes everything on', async () => {
  expect(brokenLaws(await conform(broken(passing)))).toEqual([]);
});

test('conform() says which laws do not apply', async () => {
  const { laws } = await conform(broken(passing));
  const law = laws.find(({ name }) => name === 'an error of the user says where, and is the cause');
  expect(law).toEqual({
    name: 'an error of the user says where, and is the cause',
    passed: true,
    why: 'does not apply: no function of the user is called three times',
  });
});

/** Passes items on one by one, each after `turns` turns of the event loop, unless its clock says that it took too long. */
function slow(turns: number): Stage<number, number> {
  return operator<number, number>({
    name: 'slow',
    inService: 1,
    open: (upstream, { clock, counts, failure, inside }) => ({
      async pull() {
        const answer = await upstream.pull(1);
        if (!Array.isArray(answer)) return answer;
        counts.in++;
        let isLate = false;
        const timer = clock.setTimer(() => {
          isLate = true;
        }, 1000);
        for (let turn = 0; turn < turns; turn++) await virtualClock().settle();
        timer.clear();
        if (isLate) inside(-1);
        counts[isLate ? 'abandoned' : 'out']++;
        return isLate ? failure(new Error('late'), counts.in - 1) : answer;
      },
      close: (reason) => upstream.close(reason),
    }),
  });
}

test('conform() with timeStandsStill waits in real time for a stage that has a timer set meanwhile', async () => {
  const laws = [
    'empty input ends',
    'the end closes the source, once',
    'nothing vanishes, by the end',
    'what it holds is flushed once',
  ];
  const brokenBy = async (timeStandsStill: boolean) =>
    brokenLaws(await conform(() => slow(2), { items: 6, timeStandsStill })).filter((law) => laws.includes(law));
  expect(await brokenBy(false)).toContain('the end closes the source, once');
  expect(await brokenBy(true)).toEqual([]);
});

test('assertConforms() gives the report of a stage that conforms', async () => {
  expect((await assertConforms((user) => map(user((n: number) => n)))).passed).toBe(true);
});

test('assertConforms() names the laws that are broken, and why', async () => {
  const error: Error & { code?: string } = await assertConforms(broken(forgetsCloses)).catch((reason) => reason);
  expect(error.code).toBe('ERR_TESTKIT_NOT_CONFORMING');
  expect(error.message).toContain('an abort before the start reads nothing: the source was closed 0 times');
});

const forgetsCloses: Open = (upstream, counts) => ({ ...passing(upstream, counts, () => {}), close: () => {} });

/** Stages that each break a law, and the law. */
const breakers: Record<string, [() => Stage<number, number>, string]> = {
  'is not closed': [broken(forgetsCloses), 'an abort in the middle rejects with its reason and closes the source'],
  'closes with another reason': [
    broken((upstream, counts, inside) => ({
      ...passing(upstream, counts, inside),
      close: () => upstream.close(new Error('mine')),
    })),
    'a cancel closes the source with its reason',
  ],
  'swallows an error': [
    broken((upstream, counts) => ({
      pull: (max) => then(upstream.pull(max), (answer) => (answer instanceof Failure ? END : counted(answer, counts))),
      close: (reason) => upstream.close(reason),
    })),
    'an error from upstream keeps its place and is passed on unchanged',
  ],
  'loses an item without a word': [
    broken((upstream, counts) => ({
      pull: (max) =>
        then(upstream.pull(max), (answer) => {
          if (!Array.isArray(answer)) return answer;
          counts.in += answer.length;
          const kept = answer.filter((n) => n !== 5);
          counts.out += kept.length;
          return kept;
        }),
      close: (reason) => upstream.close(reason),
    })),
    'nothing vanishes, by the end',
  ],
  'reads when it is opened': [
    broken((upstream, counts, inside) => {
      upstream.pull(1);
      return passing(upstream, counts, inside);
    }),
    'nothing is read before it is asked for',
  ],
  'reads more than it says': [
    broken((upstream, counts) => {
      let waiting: number[] = [];
      let last: Answer<number> | undefined;
      const hand = (): Answer<number> | undefined => {
        const item = waiting.shift();
        if (item === undefined) return last;
        counts.out++;
        return [item];
      };
      return {
        pull: () =>
          hand() ??
          then(upstream.pull(50), (answer) => {
            if (Array.isArray(answer)) {
              counts.in += answer.length;
              waiting = [...answer];
            } else last = answer;
            return hand() as Answer<number>;
          }),
        close: (reason) => upstream.close(reason),
      };
    }),
    'at most the bound is inside while the sink stalls (items at hand)',
  ],
  'goes on after its end': [
    broken((upstream, counts) => {
      let ends = 0;
      return {
        pull: (max) =>
          then(upstream.pull(max), (answer) =>
            !Array.isArray(answer) && ends++ === 1 ? [99] : counted(answer, counts),
          ),
        close: (reason) => upstream.close(reason),
      };
    }),
    'the end stays the end',
  ],
};

describe('conform() refuses a stage that', () => {
  test.for(Object.entries(breakers))('%s', async ([, [factory, law]]) => {
    expect(brokenLaws(await conform(factory, { timeoutMs: 300 }))).toContain(law);
  });

  test('keeps something from run to run', async () => {
    const once = (): Stage<number, number> => {
      const seen = new Set<number>();
      return filter((n: number) => !seen.has(n) && seen.add(n) !== undefined);
    };
    expect(brokenLaws(await conform(once, { timeoutMs: 20 }))).toContain('a stage serves any number of runs');
  });

  test('hangs', async () => {
    const hung = (): Stage<number, number> => mapAsync(() => new Promise<number>(() => {}));
    const { laws } = await conform(hung, { timeoutMs: 5 });
    expect(laws.find(({ name }) => name === 'nothing vanishes, by the end')?.why).toBe(
      'it hangs: nothing happens any more',
    );
  });

  test('replaces the error of the user', async () => {
    const report = await conform((user) => {
      const fn = user((n: number) => n);
      return map((n: number) => {
        try {
          return fn(n);
        } catch (cause) {
          throw new Error('another', { cause });
        }
      });
    });
    expect(brokenLaws(report)).toEqual([
      'an error of the user says where, and is the cause',
      'an error of the user at any item says where',
      'as a native pair it fails with the error of the user, on both sides',
    ]);
  });
});
