import { from, type Stage } from '@millrace/core';
import { type Answer, isLater, operator, type Pulled, type Puller, type StageContext } from '@millrace/core/authoring';
import type { Law } from '../law.js';
import { sourceProbe } from '../source-probe.js';
import type { Trial } from '../trial.js';

/** What nodes owe one another: pull with credit. */
export const PROTOCOL: readonly Law[] = [
  {
    name: 'it answers with one item or more, and never more than was asked for',
    async check(trial) {
      const behind = new Behind();
      await wholeRun(trial, trial.stage(), behind.stage);
      return behind.sizes[0];
    },
  },
  {
    name: 'it answers: it neither throws nor rejects',
    async check(trial) {
      const behind = new Behind();
      await wholeRun(trial, trial.stage(), behind.stage);
      await wholeRun(trial, trial.breaking(new Error('of the user')), behind.stage);
      return behind.escapes[0];
    },
  },
  {
    name: 'it asks for one item or more, and not again before the answer',
    async check(trial) {
      const before = new Before();
      for (const isLate of [false, true]) {
        const items = isLate ? before.late : before.stage;
        await trial.run(from(trial.input()).pipeThrough(items), trial.stage());
      }
      return before.asks[0];
    },
  },
  {
    name: 'after its close it asks for nothing',
    async check(trial) {
      const before = new Before();
      const probe = sourceProbe<unknown>();
      probe.release(...trial.input(3));
      const started = trial.start(probe.pipeline.pipeThrough(before.stage), trial.stage(), () => {});
      await trial.rest();
      started.run.abort('enough');
      await started.over();
      await trial.rest(1);
      return before.asksAfterClose === 0 ? undefined : `it asked ${before.asksAfterClose} times`;
    },
  },
];

/** The run may fail: the law looks at what the stages said to one another. */
async function wholeRun(trial: Trial, stage: Stage<unknown, unknown>, behind: Stage<unknown, unknown>): Promise<void> {
  await trial.run(from(trial.input()).pipeThrough(stage), behind);
}

/** Stands behind a stage, and asks it for few items and for many. */
class Behind {
  readonly sizes: string[] = [];
  readonly escapes: string[] = [];
  readonly stage: Stage<unknown, unknown> = operator<unknown, unknown>({
    name: 'behind',
    open: (upstream, context) => {
      let asks = 0;
      return {
        pull: (max) => {
          const most = Math.min(max, MOST[asks++ % MOST.length] as number);
          return this.#asked(upstream, most, context);
        },
        close: (reason) => upstream.close(reason),
      };
    },
  });

  #asked(upstream: Puller<unknown>, most: number, context: StageContext): Pulled<unknown> {
    try {
      const pulled = upstream.pull(most);
      if (!isLater(pulled)) return this.#took(pulled, most, context);
      return pulled.then(
        (answer) => this.#took(answer, most, context),
        (error: unknown) => this.#escaped('rejected', error, context),
      );
    } catch (error) {
      return this.#escaped('threw', error, context);
    }
  }

  #took(answer: Answer<unknown>, most: number, { counts }: StageContext): Answer<unknown> {
    if (!Array.isArray(answer)) return answer;
    if (answer.length === 0 || answer.length > most) {
      this.sizes.push(`asked for ${most} it answered with ${answer.length} items`);
    }
    counts.in += answer.length;
    counts.out += answer.length;
    return answer;
  }

  #escaped(how: string, error: unknown, context: StageContext): Answer<unknown> {
    this.escapes.push(`asked for items it ${how}: ${String(error)}`);
    return context.failure(error, context.counts.in);
  }
}

const MOST: readonly number[] = [1, 2, 5, 3];

/** Stands before a stage, and hears what it asks for. */
class Before {
  readonly asks: string[] = [];
  asksAfterClose = 0;
  readonly stage: Stage<unknown, unknown> = this.#stage(false);
  /** The same, and answers later. */
  readonly late: Stage<unknown, unknown> = this.#stage(true);

  #stage(isLate: boolean): Stage<unknown, unknown> {
    return operator<unknown, unknown>({
      name: 'before',
      open: (upstream, { counts }) => {
        let isAsked = false;
        let isClosed = false;
        const took = (answer: Answer<unknown>): Answer<unknown> => {
          isAsked = false;
          if (Array.isArray(answer)) {
            counts.in += answer.length;
            counts[isClosed ? 'abandoned' : 'out'] += answer.length;
          }
          return answer;
        };
        return {
          pull: (max) => {
            if (isClosed) this.asksAfterClose++;
            if (isAsked) this.asks.push('it asked again before the answer had come');
            const isCount = max >= 1 && (Number.isInteger(max) || max === Number.POSITIVE_INFINITY);
            if (!isCount) this.asks.push(`it asked for ${max} items`);
            isAsked = true;
            const pulled = upstream.pull(isCount ? max : 1);
            return isLate || isLater(pulled) ? Promise.resolve(pulled).then(took) : took(pulled);
          },
          close: (reason) => {
            isClosed = true;
            upstream.close(reason);
          },
        };
      },
    });
  }
}
