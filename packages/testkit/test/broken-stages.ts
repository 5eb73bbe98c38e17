import { filter, map } from '@millrace/core';
import { type Answer, END, Failure, type Pulled } from '@millrace/core/authoring';
import type { StageFactory } from '@millrace/testkit';
import {
  abandons,
  answers,
  calls,
  closes,
  delays,
  failsWell,
  never,
  next,
  operates,
  passed,
  readsAhead,
  takesThree,
} from './broken-parts.js';

/** A stage that breaks a law: in a word, what is said about it, and the stage. */
export type Broken = readonly [what: string, why: string, factory: StageFactory<number, unknown>];

/** What stays behind; the test lets go of it. */
export const litter: Array<() => void> = [];

const replacesTheError: StageFactory<number, number> = (user) => {
  const fn = user((n: number) => n);
  return map((n: number) => {
    try {
      return fn(n);
    } catch (cause) {
      throw new Error('another', { cause });
    }
  });
};

/** Gives each item with what the stack has to say: how it is run, which is nobody's business. */
const tells = (of: (stack: string) => unknown): StageFactory<number, unknown> => {
  return () =>
    map((n: number) => {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 50;
      const { stack = '' } = new Error('where am I?');
      Error.stackTraceLimit = stackTraceLimit;
      return [n, of(stack)];
    });
};

const forgetsToClose = closes(() => {});
const readsAtOnce = operates((upstream) => void upstream.pull(1));
const swallowsErrors = answers((answer, context) => (answer instanceof Failure ? END : passed(answer, context)));
const reverses = answers((answer, context) => {
  const given = passed(answer, context);
  return Array.isArray(given) ? given.reverse() : given;
});
const readsTooMuch = operates((upstream, { counts }) => {
  const waiting: number[] = [];
  let last: Answer<number> | undefined;
  const give = (): Answer<number> | undefined => {
    if (waiting.length === 0) return last;
    counts.out++;
    return waiting.splice(0, 1);
  };
  return {
    pull: () =>
      give() ??
      next(upstream.pull(50), (answer) => {
        if (Array.isArray(answer)) {
          counts.in += answer.length;
          waiting.push(...answer);
        } else last = answer;
        return give() as Answer<number>;
      }),
  };
});
const throwsWhenClosed = closes(() => {
  throw new Error('not closed');
});

/** For each law a stage that breaks it. */
export const BROKEN: Readonly<Record<string, Broken>> = {
  'empty input ends': [
    'waits for an item that never comes',
    'it hangs',
    answers((answer, context) => (answer === END && context.counts.in === 0 ? never() : passed(answer, context))),
  ],
  'the end closes the source, once': [
    'ends early, and leaves its source open',
    'the source was closed 0 times',
    takesThree((reason, upstream) => void (reason !== undefined && upstream.close(reason))),
  ],
  'nothing vanishes, by the end': [
    'loses an item without a word',
    'the counts do not add up',
    answers((answer, { counts }) => {
      if (!Array.isArray(answer)) return answer;
      const kept = answer.filter((n) => n !== 5);
      counts.in += answer.length;
      counts.out += kept.length;
      return kept;
    }),
  ],
  'what it holds is flushed once': [
    'keeps its last item for itself',
    '1 items are still inside after the end',
    delays(false, () => {}),
  ],
  'the source is closed before the run is over': [
    'closes its source later',
    'the run was over while its source was still open',
    takesThree((reason, upstream, { clock }) => void clock.setTimer(() => upstream.close(reason), 1)),
  ],
  'drained, it finishes what is inside': [
    'hands on pairs, and gives up an item without a partner',
    '1 items were abandoned',
    operates((upstream, context) => {
      const held: number[] = [];
      const accept = (answer: Answer<number>): Pulled<number> => {
        if (!Array.isArray(answer)) {
          abandons(held.splice(0).length, context);
          return answer;
        }
        context.counts.in += answer.length;
        held.push(...answer);
        if (held.length < 2) return pull();
        const pairs = held.splice(0, held.length - (held.length % 2));
        context.counts.out += pairs.length;
        return pairs;
      };
      const pull = (): Pulled<number> => next(upstream.pull(2), accept);
      return { pull };
    }, 2),
  ],
  'the end stays the end': [
    'goes on after its end',
    'asked again after its end it answered [99]',
    operates((upstream, context) => {
      let ends = 0;
      return {
        pull: (max) =>
          next(upstream.pull(max), (answer) => (answer === END && ends++ > 0 ? [99] : passed(answer, context))),
      };
    }),
  ],
  'close() can be called again, and during a pull': [
    'can be closed once only',
    'closed already',
    operates((upstream) => {
      let isClosed = false;
      return {
        close(reason) {
          if (isClosed) throw new Error('closed already');
          isClosed = true;
          upstream.close(reason);
        },
      };
    }),
  ],
  'an error from upstream keeps its place and is passed on unchanged': [
    'takes an error for the end',
    'it failed with undefined',
    swallowsErrors,
  ],
  'nothing vanishes, by an error from upstream': [
    'forgets the item it holds when an error comes',
    '1 items are still inside after the end',
    delays(true, () => {}),
  ],
  'an error of the user says where, and is the cause': [
    'replaces the error',
    'the cause is Error: another',
    replacesTheError,
  ],
  'an error of the user at any item says where': [
    'counts from one',
    'thrown at call 1: the index is 1 (must be 0)',
    calls((error, index, done, context) => failsWell(error, index || 1, done, context)),
  ],
  'nothing vanishes, by an error of the user': [
    'does not count the item that failed',
    'the counts do not add up',
    calls((error, index, _done, context) => context.failure(error, index)),
  ],
  'an error of the user closes the source': [
    'leaves its source open when it has failed',
    'the source was closed 0 times',
    calls(failsWell, (reason, upstream, hasFailed) => void (hasFailed || upstream.close(reason))),
  ],
  'an error does not overtake what came before it, however slow the sink': [
    'lets an error overtake what waits',
    'a slow sink got',
    readsAhead(abandons),
  ],
  'what comes before an error of the user does not depend on the size of bursts': [
    'gives up what is done of a burst when the rest fails',
    'thrown at call 3: in one burst []',
    calls(failsWell, undefined, 4),
  ],
  'after an error the sink is aborted, and not closed': [
    'ends well, whatever happens',
    'it was closed 1 times',
    swallowsErrors,
  ],
  'a cancel closes the source with its reason': [
    'closes with a reason of its own',
    'the source was closed with Error: mine',
    closes((_reason, upstream) => upstream.close(new Error('mine'))),
  ],
  'a cancel before the first item closes the source with its reason': [
    'closes only what it has read from',
    'the source was closed 0 times',
    operates((upstream, context) => {
      let isAsked = false;
      return {
        pull(max) {
          isAsked = true;
          return next(upstream.pull(max), (answer) => passed(answer, context));
        },
        close: (reason) => void (isAsked && upstream.close(reason)),
      };
    }),
  ],
  'an abort before the start reads nothing': [
    'reads when it is opened',
    'the source was asked for 1 items',
    readsAtOnce,
  ],
  'an abort in the middle rejects with its reason and closes the source': [
    'forgets to close',
    'the source was closed 0 times',
    forgetsToClose,
  ],
  'nothing vanishes, by an abort': [
    'forgets the item it holds when it is closed',
    '1 items are still inside after the end',
    delays(true, () => {}),
  ],
  'an abort while the sink stalls ends the run in balance': [
    'forgets what it has read ahead when it is closed',
    'the counts do not add up',
    readsAhead(() => {}),
  ],
  'an abort does not wait for a function of the user that hangs': [
    'waits for its function before it lets go',
    'it took 1000 ms',
    (user) => {
      const fn = user(async (n: number) => n);
      return operates((upstream, context) => {
        let pending: Promise<number> = Promise.resolve(0);
        return {
          async pull() {
            const answer = await upstream.pull(1);
            if (Array.isArray(answer)) {
              pending = fn(answer[0] as number);
              await pending;
            }
            return passed(answer, context);
          },
          close(reason) {
            upstream.close(reason);
            context.closing(pending);
          },
        };
      }, 1)(user);
    },
  ],
  'after an abort no function of the user is called': [
    'goes on when it is closed',
    'it was called 1 times',
    calls(failsWell, () => {}),
  ],
  'a stage whose run was aborted, or failed, serves another run': [
    'is spoilt by an abort',
    'it gave []',
    () => {
      let isSpoilt = false;
      return operates((upstream, context) => ({
        pull: (max) => (isSpoilt ? END : next(upstream.pull(max), (answer) => passed(answer, context))),
        close(reason) {
          isSpoilt ||= reason !== undefined;
          upstream.close(reason);
        },
      }))((fn) => fn);
    },
  ],
  'a stream that it read from is cancelled, and no reader is left on it': [
    'forgets to close',
    'a reader is left on it',
    forgetsToClose,
  ],
  'nothing is read before it is asked for': ['reads when it is opened', 'the source was asked for 1', readsAtOnce],
  'for one item no more is read than the contract says': [
    'reads more than it says',
    '12 items were read',
    readsTooMuch,
  ],
  'at most the bound is inside while the sink stalls (items at hand)': [
    'reads more than it says',
    'items were inside (must be at most',
    readsTooMuch,
  ],
  'at most the bound is inside while the sink stalls (items that come later)': [
    'reads more than it says',
    'items were inside (must be at most',
    readsTooMuch,
  ],
  'the counts never go back, nor below nothing': [
    'holds fewer than no items while it waits',
    '"broken" holds -1 items',
    operates((upstream, context) => ({
      pull(max) {
        context.counts.held = -1;
        return next(upstream.pull(max), (answer) => {
          context.counts.held = 0;
          return passed(answer, context);
        });
      },
    })),
  ],
  'it answers with one item or more, and never more than was asked for': [
    'answers with more than was asked for',
    'asked for 1 it answered with ',
    operates((upstream, context) => ({
      pull: (max) => next(upstream.pull(max + 3), (answer) => passed(answer, context)),
    })),
  ],
  'it answers: it neither throws nor rejects': [
    'rejects',
    'asked for items it rejected: Error: not an answer',
    answers((answer, context) => {
      return context.counts.in > 3 ? Promise.reject(new Error('not an answer')) : passed(answer, context);
    }),
  ],
  'it asks for one item or more, and not again before the answer': [
    'asks twice at a time',
    'it asked again before the answer had come',
    operates((upstream, context) => ({
      pull() {
        const first = upstream.pull(1);
        const second = upstream.pull(1);
        return next(first, (one) => {
          return next(second, (two) => {
            return Array.isArray(one) && Array.isArray(two) ? passed([...one, ...two], context) : one;
          });
        });
      },
    })),
  ],
  'after its close it asks for nothing': [
    'reads on when it is closed',
    'it asked 1 times',
    closes((reason, upstream) => {
      upstream.close(reason);
      void upstream.pull(1);
    }),
  ],
  'a stage serves any number of runs': [
    'keeps something from run to run',
    'it gave []',
    () => {
      const seen = new Set<number>();
      return filter((n: number) => !seen.has(n) && seen.add(n) !== undefined);
    },
  ],
  'not fused it does the same': ['gives how deep the stack is', 'it gave', tells((stack) => stack.split('\n').length)],
  'without generated code it does the same': [
    'gives whether it is called from code that was made',
    'it gave',
    tells((stack) => /\beval\b/.test(stack)),
  ],
  'the size of bursts changes nothing, nor whether they come later': [
    'turns each burst round',
    'in bursts of 1 it gave',
    reverses,
  ],
  'as a native pair it gives the same': ['turns each burst round', 'it gave', reverses],
  'as a native pair it fails with the error of the user, on both sides': [
    'replaces the error',
    'the readable side failed with Error: another',
    replacesTheError,
  ],
  'as a native pair it holds its writer back while nobody reads': [
    'reads whatever comes',
    'writes were done with',
    operates((upstream) => {
      const read = async (): Promise<void> => {
        while (Array.isArray(await upstream.pull(1)));
      };
      void read();
      return { pull: never };
    }),
  ],
  'as a native pair it passes on an abort of the writable side': [
    'throws when it is closed',
    'it hangs',
    throwsWhenClosed,
  ],
  'as a native pair it passes on a cancel of the readable side': [
    'throws when it is closed',
    'its source was not cancelled',
    throwsWhenClosed,
  ],
  'no timer of the platform is left, run after run': [
    'sets a timer of the platform in each run',
    '1, 2, 3, 4, 5, 6, 7, 8 timers',
    operates(() => {
      const id = setTimeout(() => {}, 1_000_000);
      litter.push(() => clearTimeout(id));
    }),
  ],
  'no listener is left on a signal, run after run': [
    'listens to a signal that outlives its runs',
    '1, 2, 3, 4, 5, 6, 7, 8 listeners',
    () => {
      const { signal } = new AbortController();
      return operates(() => signal.addEventListener('abort', () => {}))((fn) => fn);
    },
  ],
  'no worker, socket or port is left, run after run': [
    'opens a port in each run',
    'workers, sockets and ports',
    operates(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {};
      // A port that is collected as garbage closes its partner.
      litter.push(() => port2.close());
    }),
  ],
  'no timer is left': [
    'sets a timer and forgets it',
    'when a run was over timers were set: one of 5000 ms',
    operates((_upstream, { clock }) => void clock.setTimer(() => {}, 5000)),
  ],
  'no rejection is unhandled': [
    'drops a promise that rejects',
    'unhandled: Error: forgotten',
    operates(() => void Promise.reject(new Error('forgotten'))),
  ],
};
