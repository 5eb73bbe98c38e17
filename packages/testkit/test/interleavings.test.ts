import { batch, buffer, from, mapAsync, type Pipeline, type RunSummary, type Stage } from '@millrace/core';
import {
  crashing,
  explore,
  type Fault,
  failing,
  faultyFunction,
  faultySink,
  faultySource,
  hanging,
  type Schedule,
} from '@millrace/testkit';
import { expect, test } from 'vitest';

/** The stages that wait for something, each with its functions under the schedule. */
const stages: Record<string, (schedule: Schedule, ...faults: Fault[]) => Stage<number, unknown>> = {
  'mapAsync() in order': ({ delays }, ...faults) => {
    return mapAsync(
      faultyFunction((n: number) => n, delays('call'), ...faults),
      { concurrency: 3 },
    );
  },
  'mapAsync() out of order': ({ delays }, ...faults) => {
    return mapAsync(
      faultyFunction((n: number) => n, delays('call'), ...faults),
      { concurrency: 3, ordered: false },
    );
  },
  'batch() by time': () => batch<number>({ maxItems: 2, maxWaitMs: 10 }),
  'buffer()': () => buffer<number>(2),
};

const INPUT = [0, 1, 2, 3, 4, 5];

interface Ran {
  readonly summary: RunSummary;
  readonly error: unknown;
  readonly written: unknown[];
}

/** Runs a pipeline into a sink that takes its time, and gives how it ended. */
async function ran(
  pipeline: Pipeline<unknown>,
  schedule: Schedule,
  during?: (run: { abort(reason: unknown): void; drain(): void }) => void,
): Promise<Ran> {
  const { clock, delays } = schedule;
  const written: unknown[] = [];
  const sink = faultySink((item: unknown) => void written.push(item), delays('write'));
  const ended = await new Promise<Omit<Ran, 'written'>>((resolve) => {
    const run = pipeline.run(sink, {
      clock,
      observer: { ended: (summary, error) => resolve({ summary, error }) },
    });
    run.finished.catch(() => {});
    during?.({ abort: (reason) => run.abort(reason), drain: () => void run.drain().catch(() => {}) });
  });
  return { ...ended, written };
}

const withinBound = ({ summary }: Ran): void => {
  expect(summary.balanced).toBe(true);
  expect(summary.inFlightMax).toBeLessThanOrEqual(summary.inFlightBound);
};

const isInOrder = (items: readonly unknown[]): boolean => items.flat().every((n, at) => n === at);

for (const [name, stage] of Object.entries(stages)) {
  const isOrdered = !name.includes('out of order');

  test(`${name} gives all items, in whatever order the answers come`, async () => {
    await explore(async (schedule) => {
      const end = await ran(faultySource(INPUT, schedule.delays('read')).pipeThrough(stage(schedule)), schedule);
      expect(end.error).toBeUndefined();
      withinBound(end);
      expect(isOrdered ? end.written.flat() : end.written.flat().sort()).toEqual(INPUT);
    });
  });

  test(`${name} loses nothing by an abort, whenever it comes`, async () => {
    await explore(async (schedule) => {
      const end = await ran(
        faultySource(INPUT, schedule.delays('read')).pipeThrough(stage(schedule)),
        schedule,
        (run) => schedule.sometime('abort', () => run.abort('enough')),
      );
      expect([undefined, 'enough']).toContain(end.error);
      withinBound(end);
      if (isOrdered) expect(isInOrder(end.written)).toBe(true);
      // What is still closing when the grace is over is left open.
      if (schedule.clock.now() < 1000) expect(end.summary.leftOpen).toEqual([]);
    });
  });

  test(`${name} finishes what is inside when the run drains, whenever it does`, async () => {
    await explore(async (schedule) => {
      const end = await ran(
        faultySource(INPUT, schedule.delays('read')).pipeThrough(stage(schedule)),
        schedule,
        (run) => schedule.sometime('drain', () => run.drain()),
      );
      expect(end.error).toBeUndefined();
      withinBound(end);
      if (end.summary.abandoned === 0) expect(end.written.flat().length).toBe(end.summary.read);
    });
  });

  test(`${name} fails with the error of its source, in its place`, async () => {
    await explore(async (schedule) => {
      const items = faultySource(INPUT, schedule.delays('read'), failing(new Error('no'), { at: 4 }));
      const end = await ran(items.pipeThrough(stage(schedule)), schedule);
      expect(end.error).toMatchObject({ stage: 'faulty', index: 4 });
      withinBound(end);
    });
  });

  test(`${name} is left when its source hangs or crashes and the run is aborted`, async () => {
    await explore(async (schedule) => {
      const fault = schedule.random() < 0.5 ? hanging({ at: 3 }) : crashing(new Error('gone'), { at: 3 });
      const items = faultySource(INPUT, schedule.delays('read'), fault).pipeThrough(stage(schedule));
      const end = await ran(items, schedule, (run) => schedule.sometime('abort', () => run.abort('enough')));
      expect(end.error).toBeDefined();
      withinBound(end);
    });
  });
}

test('mapAsync() fails with the earliest error, whichever comes first', async () => {
  await explore(async (schedule) => {
    const fault: Fault = ({ index }) => {
      if (index === 2 || index === 3) throw new Error(`of ${index}`);
    };
    const stage = stages['mapAsync() in order'] as (typeof stages)[string];
    const end = await ran(from(INPUT).pipeThrough(stage(schedule, fault)), schedule);
    expect(end.error).toMatchObject({ stage: 'mapAsync', index: 2, cause: { message: 'of 2' } });
    expect(end.written).toEqual([0, 1]);
    withinBound(end);
  });
});
