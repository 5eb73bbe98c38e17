import type { Stage } from '@millrace/core';
import {
  type Answer,
  END,
  Failure,
  isLater,
  operator,
  type Pulled,
  type Puller,
  type StageContext,
} from '@millrace/core/authoring';
import type { StageFactory, UserFunction } from '@millrace/testkit';

type Parts = (upstream: Puller<number>, context: StageContext) => Partial<Puller<number>> | void;

/** An operator that passes everything on, but for the parts that a test breaks. */
export function operates(parts: Parts, inService = 0): StageFactory<number, number> {
  return () =>
    operator<number, number>({
      name: 'broken',
      inService,
      open: (upstream, context) => ({
        pull: (max) => next(upstream.pull(max), (answer) => passed(answer, context)),
        close: (reason) => upstream.close(reason),
        ...parts(upstream, context),
      }),
    });
}

export function next(pulled: Pulled<number>, then: (answer: Answer<number>) => Pulled<number>): Pulled<number> {
  return isLater(pulled) ? pulled.then(then) : then(pulled);
}

export function passed(answer: Answer<number>, { counts }: StageContext): Answer<number> {
  if (Array.isArray(answer)) {
    counts.in += answer.length;
    counts.out += answer.length;
  }
  return answer;
}

export function never(): Promise<never> {
  return new Promise(() => {});
}

/** Passes on what `of` makes of each answer. */
export const answers = (
  of: (answer: Answer<number>, context: StageContext) => Pulled<number>,
): StageFactory<number, number> =>
  operates((upstream, context) => ({ pull: (max) => next(upstream.pull(max), (answer) => of(answer, context)) }));

/** Closes in a way of its own. */
export const closes = (
  close: (reason: unknown, upstream: Puller<number>, context: StageContext) => void,
): StageFactory<number, number> =>
  operates((upstream, context) => ({ close: (reason) => close(reason, upstream, context) }));

/** Ends after three items, and closes in a way of its own. */
export const takesThree = (
  close: (reason: unknown, upstream: Puller<number>, context: StageContext) => void,
): StageFactory<number, number> =>
  operates((upstream, context) => ({
    pull: () => (context.counts.in === 3 ? END : next(upstream.pull(1), (answer) => passed(answer, context))),
    close: (reason) => close(reason, upstream, context),
  }));

/** Holds the last item until there is another one; `lose` says what happens to it when the run does not end well. */
export const delays = (flushes: boolean, lose: (context: StageContext) => void): StageFactory<number, number> =>
  operates((upstream, context) => {
    const { counts } = context;
    let held: number[] = [];
    let isOver = false;
    const accept = (answer: Answer<number>): Pulled<number> => {
      if (Array.isArray(answer)) {
        counts.in += answer.length;
        const all = [...held, ...answer];
        held = all.splice(-1);
        counts.held = 1;
        counts.out += all.length;
        return all.length > 0 ? all : pull();
      }
      if (answer !== END || !flushes || isOver || held.length === 0) return answer;
      counts.held = 0;
      counts.out++;
      return held.splice(0);
    };
    const pull = (): Pulled<number> => next(upstream.pull(1), accept);
    return {
      pull,
      close(reason) {
        upstream.close(reason);
        if (!isOver && held.length > 0) lose(context);
        isOver = true;
      },
    };
  }, 1);

/** Reads up to four items ahead; what it does with them when it is closed, or fails, is its own business. */
export const readsAhead = (lose: (items: number, context: StageContext) => void): StageFactory<number, number> =>
  operates((upstream, context) => {
    const waiting: number[] = [];
    let last: Answer<number> | undefined;
    let isAsking = false;
    let ask: ((answer: Answer<number>) => void) | undefined;
    const accept = (answer: Answer<number>): void => {
      isAsking = false;
      if (Array.isArray(answer)) {
        context.counts.in += answer.length;
        waiting.push(...answer);
      } else last = answer;
      if (answer instanceof Failure) lose(waiting.splice(0).length, context);
      read();
      const settle = ask;
      const given = settle === undefined ? undefined : give();
      if (given !== undefined) settle?.(given);
    };
    const read = (): void => {
      if (isAsking || last !== undefined || waiting.length >= 4) return;
      isAsking = true;
      void Promise.resolve(upstream.pull(4 - waiting.length)).then(accept);
    };
    const give = (): Answer<number> | undefined => {
      if (waiting.length === 0) return last;
      ask = undefined;
      context.counts.out++;
      return waiting.splice(0, 1);
    };
    return {
      pull() {
        read();
        return (
          give() ??
          new Promise((resolve) => {
            ask = resolve;
          })
        );
      },
      close(reason) {
        last ??= END;
        upstream.close(reason);
        lose(waiting.splice(0).length, context);
      },
    };
  }, 4);

export const abandons = (items: number, { counts, inside }: StageContext): void => {
  counts.abandoned += items;
  inside(-items);
};

/** Calls the function of the user on each item of a burst; what it does when that throws is its own business. */
export const calls =
  (
    fails: (error: unknown, index: number, done: number[], context: StageContext) => Answer<number>,
    close?: (reason: unknown, upstream: Puller<number>, hasFailed: boolean) => void,
    burst = 1,
  ) =>
  (user: UserFunction): Stage<number, number> => {
    const fn = user((n: number) => n);
    return operates((upstream, context) => {
      let last: Answer<number> | undefined;
      const accept = (answer: Answer<number>): Answer<number> => {
        if (!Array.isArray(answer)) return answer;
        const done: number[] = [];
        for (const item of answer) {
          context.counts.in++;
          try {
            done.push(fn(item));
          } catch (error) {
            last = fails(error, context.counts.in - 1, done, context);
            abandons(answer.length - done.length - 1, context);
            context.counts.in += answer.length - done.length - 1;
            return last;
          }
        }
        context.counts.out += done.length;
        return done;
      };
      return {
        pull: (max) => last ?? next(upstream.pull(Math.min(max, burst)), accept),
        close: (reason) => (close ?? ((why) => upstream.close(why)))(reason, upstream, last !== undefined),
      };
    }, burst)(user);
  };

/** Fails as it should. */
export const failsWell = (error: unknown, index: number, done: number[], context: StageContext): Answer<number> => {
  abandons(1 + done.length, context);
  return context.failure(error, index);
};
