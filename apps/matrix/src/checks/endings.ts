import { from, interval, map, mapAsync, StageError } from '@millrace/core';
import { type Check, reasonOf, same } from '../check.js';

const endless = (onClose: () => void) =>
  async function* (): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      onClose();
    }
  };

/** Errors, aborts, cancels and drains. */
export const ENDING_CHECKS: readonly Check[] = [
  {
    name: 'an error says where',
    async run() {
      for (const generate of [true, false]) {
        const cause = new Error('made up');
        const failing = map(
          (n: number) => {
            if (n === 3) throw cause;
            return n;
          },
          { name: 'picky' },
        );
        const error = await reasonOf(from([1, 2, 3, 4]).pipeThrough(failing).toArray({ generate }));
        if (!(error instanceof StageError) || error.cause !== cause) throw error;
        same([error.code, error.stage, error.index], ['ERR_CORE_STAGE', 'picky', 2]);
      }
    },
  },
  {
    name: 'a rejected promise says where',
    async run() {
      const failing = mapAsync((n: number) => (n === 3 ? Promise.reject(new Error('made up')) : n), { concurrency: 2 });
      const error = await reasonOf(from([1, 2, 3, 4]).pipeThrough(failing).toArray());
      if (!(error instanceof StageError)) throw error;
      same([error.stage, error.index], ['mapAsync', 2]);
    },
  },
  {
    name: 'abort before and during closes the source',
    async run() {
      const reason = new Error('enough');
      same((await reasonOf(from([1]).toArray({ signal: AbortSignal.abort(reason) }))) === reason, true);
      const controller = new AbortController();
      const calls: string[] = [];
      const stopping = map((n: number) => void (n === 5000 && controller.abort(reason)));
      const source = from(endless(() => void calls.push('close')));
      const end = await reasonOf(source.pipeThrough(stopping).count({ signal: controller.signal }));
      same([end === reason, calls], [true, ['close']]);
    },
  },
  {
    name: 'AbortSignal.timeout() stops a loop without promises',
    async run() {
      const busy = from(function* () {
        for (let n = 0; ; n++) yield n;
      });
      const error = await reasonOf(busy.pipeThrough(map((n) => n + 1)).count({ signal: AbortSignal.timeout(20) }));
      same((error as { name?: string }).name, 'TimeoutError');
    },
  },
  {
    name: 'an abort ends a source that waits for a timer',
    async run() {
      const run = interval(3_600_000).run(() => undefined);
      run.abort(new Error('enough'));
      same(((await reasonOf(run.finished)) as Error).message, 'enough');
    },
  },
  {
    name: 'a drain finishes what is inside',
    async run() {
      const seen: number[] = [];
      const calls: string[] = [];
      const run = from(endless(() => void calls.push('close')))
        .pipeThrough(mapAsync(async (n) => n, { concurrency: 4 }))
        .run((n) => {
          seen.push(n);
          if (seen.length === 100) void run.drain({ deadlineMs: 60_000 });
        });
      const { read, emitted, balanced } = await run.finished;
      same([read === emitted, emitted === seen.length, balanced, calls], [true, true, true, ['close']]);
    },
  },
];
