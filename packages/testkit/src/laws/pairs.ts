import { from } from '@millrace/core';
import { doesNotApply, firstOf, type Law, showError } from '../law.js';
import { areSame, show } from '../same.js';
import { BREAK_INDEX } from '../trial.js';
import { boundOf } from './room.js';

/** A stage as a native pair of streams. */
export const PAIRS: readonly Law[] = [
  {
    name: 'as a native pair it gives the same',
    async check(trial) {
      const { readable } = stream(trial.input());
      const expected = await trial.expected();
      const end = await trial.settled(collected(readable.pipeThrough(trial.stage())));
      if (end.isError) return `it failed: ${showError(end.error)}`;
      return areSame(end.value, expected, trial.isOrdered)
        ? undefined
        : `it gave ${show(end.value)}, not ${show(expected)}`;
    },
  },
  {
    name: 'as a native pair it fails with the error of the user, on both sides',
    async check(trial) {
      const cause = new Error('of the user');
      const { readable, cancels } = stream(trial.input(), true);
      const stage = trial.breaking(cause);
      if (!trial.hasUserFunction) return doesNotApply('it calls no function of the user');
      const end = await trial.settled(collected(readable.pipeThrough(stage)));
      if (!end.isError) return trial.calls > BREAK_INDEX ? 'the error is swallowed' : doesNotApply('it ended before');
      await trial.rest();
      return firstOf(
        end.error !== cause && `the readable side failed with ${showError(end.error)}`,
        cancels.length === 0 && 'the writable side did not fail: its source was not cancelled',
        cancels.length > 0 && cancels[0] !== cause && `the writable side failed with ${showError(cancels[0])}`,
      );
    },
  },
  {
    name: 'as a native pair it holds its writer back while nobody reads',
    async check(trial) {
      const most = boundOf(trial, from<unknown>([]).pipeThrough(trial.stage()));
      if (most === Number.POSITIVE_INFINITY) return doesNotApply('it may hold any number of items');
      const { readable, writable } = trial.stage();
      const writer = writable.getWriter();
      let written = 0;
      for (const item of trial.input(most + 5)) {
        writer.write(item).then(
          () => written++,
          () => {},
        );
      }
      writer.closed.catch(() => {});
      await trial.rest(1);
      // SPEC: an abort waits for the write that is under way, and so for a reader; a cancel does not.
      await trial.settled(readable.cancel('enough'));
      return written > most ? `${written} writes were done with (must be at most ${most})` : undefined;
    },
  },
  {
    name: 'as a native pair it passes on an abort of the writable side',
    async check(trial) {
      const cause = new Error('from upstream');
      const { readable, writable } = trial.stage();
      const reading = trial.settled(collected(readable));
      const writer = writable.getWriter();
      writer.closed.catch(() => {});
      writer.write(trial.input()[0]).catch(() => {});
      await trial.rest();
      await trial.settled(writer.abort(cause));
      const end = await reading;
      if (!end.isError) return doesNotApply('it ended before the abort');
      return end.error === cause ? undefined : `the readable side failed with ${showError(end.error)}`;
    },
  },
  {
    name: 'as a native pair it passes on a cancel of the readable side',
    async check(trial) {
      const reason = new Error('enough');
      const { readable, cancels } = stream(trial.input(), true);
      const reader = readable.pipeThrough(trial.stage()).getReader();
      const read = trial.watched(reader.read());
      await trial.rest(1);
      const hadEnded = cancels.length > 0;
      await trial.settled(reader.cancel(reason));
      await trial.settled(read);
      await trial.rest();
      if (hadEnded) return doesNotApply('it ended before the cancel');
      return firstOf(
        cancels.length === 0 && 'its source was not cancelled',
        cancels.length > 0 && cancels[0] !== reason && `its source was cancelled with ${showError(cancels[0])}`,
      );
    },
  },
];

/** A stream of the items, which ends or stays open, and the reasons it was cancelled with. */
function stream(
  items: readonly unknown[],
  staysOpen = false,
): { readable: ReadableStream<unknown>; cancels: unknown[] } {
  const cancels: unknown[] = [];
  const readable = new ReadableStream<unknown>({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      if (!staysOpen) controller.close();
    },
    cancel: (reason) => void cancels.push(reason),
  });
  return { readable, cancels };
}

async function collected(readable: ReadableStream<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return items;
    items.push(value);
  }
}
