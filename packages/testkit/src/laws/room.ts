import type { Pipeline } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { doesNotApply, firstOf, imbalance, type Law } from '../law.js';
import { sinkProbe } from '../sink-probe.js';
import { sourceProbe } from '../source-probe.js';
import type { Trial } from '../trial.js';

/** How much a stage reads and holds. */
export const ROOM: readonly Law[] = [
  {
    name: 'nothing is read before it is asked for',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const pipeline = probe.pipeline.pipeThrough(trial.stage());
      pipeline.explain();
      const { clock } = trial;
      probe.release(...trial.input());
      const items = pipeline.values({ clock });
      const stream = pipeline.toReadableStream({ clock });
      await trial.rest(2);
      const { pulls } = probe;
      const asked = [...pulls];
      await trial.settled(Promise.all([items.return?.(), stream.cancel()]));
      return asked.length > 0 ? `the source was asked for ${asked.join(', ')} items` : undefined;
    },
  },
  {
    name: 'for one item no more is read than the contract says',
    async check(trial) {
      const probe = sourceProbe<unknown>();
      const pipeline = probe.pipeline.pipeThrough(trial.stage());
      const { clock, options } = trial;
      const most = options.reads ?? boundOf(trial, pipeline);
      if (most === Number.POSITIVE_INFINITY) return doesNotApply('it may hold any number of items');
      probe.release(...trial.input());
      const items = pipeline.values({ clock });
      const first = trial.watched(items.next());
      await trial.rest(2);
      const { read } = probe;
      await trial.settled(Promise.resolve(items.return?.()));
      await trial.settled(first);
      return read > most ? `${read} items were read (must be at most ${most})` : undefined;
    },
  },
  {
    name: 'at most the bound is inside while the sink stalls (items at hand)',
    check: (trial) => stalled(trial, (items) => items),
  },
  {
    name: 'at most the bound is inside while the sink stalls (items that come later)',
    check: (trial) => stalled(trial, (items) => Promise.resolve(items)),
  },
  {
    name: 'the counts never go back, nor below nothing',
    async check(trial) {
      const sink = sinkProbe<unknown>({ highWaterMark: 3 });
      const probe = sourceProbe<unknown>();
      const started = trial.start(probe.pipeline, trial.stage(), sink.sink);
      let before = started.run.counts();
      for (const item of trial.input()) {
        probe.release(item);
        void sink.take(1);
        await trial.rest();
        const now = started.run.counts();
        const wrong =
          wrongStep(before, now) ?? (started.run.inFlight < 0 ? 'fewer than no items are inside' : undefined);
        if (wrong !== undefined) return wrong;
        before = now;
      }
      started.run.abort('enough');
      await started.over();
      return undefined;
    },
  },
];

type Counts = ReturnType<ReturnType<Trial['start']>['run']['counts']>;

function wrongStep(before: Counts, now: Counts): string | undefined {
  for (const [at, { name, held, ...counts }] of now.entries()) {
    if (held < 0) return `"${name}" holds ${held} items`;
    for (const [what, items] of Object.entries(counts) as [keyof typeof counts, number][]) {
      const had = before[at]?.[what] ?? 0;
      if (items < had) return `"${name}" counted ${had} items as ${what}, and then ${items}`;
    }
  }
  return undefined;
}

/** The most items inside while a reader takes one at a time. */
export function boundOf(trial: Trial, pipeline: Pipeline<unknown>): number {
  const probe = sinkProbe<unknown>({ highWaterMark: 0 });
  const run = pipeline.run(probe.sink, { clock: trial.clock, signal: AbortSignal.abort() });
  run.finished.catch(() => {});
  return run.explain().bound;
}

async function stalled(
  trial: Trial,
  answer: (items: readonly unknown[]) => readonly unknown[] | Promise<readonly unknown[]>,
): Promise<ReturnType<typeof doesNotApply>> {
  const probe = sinkProbe<unknown>({ highWaterMark: 3 });
  const started = trial.start(plenty(trial, answer), trial.stage(), probe.sink);
  const { bound } = started.run.explain();
  if (bound === Number.POSITIVE_INFINITY) {
    started.run.abort();
    await started.over();
    return doesNotApply('it may hold any number of items');
  }
  let most = 0;
  for (const items of [0, 1, 2, 5]) {
    void probe.take(items);
    await trial.rest(2);
    most = Math.max(most, started.run.inFlight);
  }
  const unaccounted = probe.closes > 0 ? 0 : readAndNotGone(started.run.counts());
  started.run.abort('enough');
  const ran = await started.over();
  return firstOf(
    most > bound && `${most} items were inside (must be at most ${bound})`,
    ran.summary.inFlightMax > bound && `${ran.summary.inFlightMax} items were inside (must be at most ${bound})`,
    unaccounted > bound && `${unaccounted} items were read and had not come out (must be at most ${bound})`,
    imbalance(ran),
  );
}

/** Where no stage makes items of others, what was read and has not come out or ended must still be inside. */
function readAndNotGone(counts: Counts): number {
  const [first, ...others] = counts;
  const last = counts.at(-1);
  if (first === undefined || last === undefined || others.some(({ made, absorbed }) => made + absorbed > 0)) return 0;
  const ended = others.reduce((sum, { filtered, deduped, dropped, deadLettered }) => {
    return sum + filtered + deduped + dropped + deadLettered;
  }, 0);
  return first.out - last.out - ended;
}

/** Reads of so many items show a stage that holds too much; a stage that drops would read on without end. */
const PLENTY = 3000;

/** A source that has as many items as it is asked for, in turn those of the input, and after many keeps its reader waiting. */
function plenty(
  trial: Trial,
  answer: (items: readonly unknown[]) => readonly unknown[] | Promise<readonly unknown[]>,
): Pipeline<unknown> {
  const items = trial.input();
  let next = 0;
  return source<unknown>({
    name: 'plenty',
    open: () => ({
      read(max) {
        if (next >= PLENTY) return new Promise(() => {});
        return answer(Array.from({ length: Math.min(max, 1000) }, () => items[next++ % items.length]));
      },
      close: () => {},
    }),
  });
}
