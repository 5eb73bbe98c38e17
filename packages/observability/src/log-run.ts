import type { Clock, Timer } from '@millrace/core';
import { checkFunction, checkMs, checkOptions } from '@millrace/core/authoring';
import { backgroundClock } from './internal/background-clock.js';
import { checkObserved } from './internal/check-observed.js';
import type { Observed } from './observe.js';

/** What lines are given to: pino, bunyan, `console`, or anything that takes fields and a message. */
export interface Logger {
  /** Notes what is as it should be. */
  info(fields: object, message: string): void;
  /** Notes what should be looked at. */
  warn(fields: object, message: string): void;
  /** Notes what failed. */
  error(fields: object, message: string): void;
}

/** How often, and what is logged. */
export interface LogRunOptions {
  /** For how long errors of one type from one stage are only counted, after the first. Default: 10,000. */
  readonly errorEveryMs?: number;
  /** The time of that. Default: the platform's, with timers that keep no process alive. */
  readonly clock?: Clock;
}

/** Lines that are being logged. */
export interface RunLog {
  /** Logs the errors that were only counted so far, and ends. */
  close(): void;
}

interface Suppressed {
  readonly fields: { readonly pipeline: string; readonly stage: string; readonly 'error.type': string };
  count: number;
}

/**
 * Logs what happens to runs: start, what their plans warn of, state changes, end with the summary, and errors, of which each type from each stage
 * is logged once in 10 seconds, with how many more there were. Nothing is logged per item.
 *
 * Errors carry the message of the user's exception, which may quote data; types and counts alone are in the figures.
 *
 * @param observed - What `observe()` gave; all its pipelines are logged.
 * @param logger - Takes `(fields, message)`, as pino and `console` do.
 * @param options - `errorEveryMs`, `clock`.
 * @returns The log; `close()` ends it.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `observed` is not from `observe()`, the logger lacks a method or an option is unknown.
 *
 * @example Log the runs of a pipeline
 * ```ts
 * import { from } from '@millrace/core';
 * const lines: string[] = [];
 * const note = (_fields: object, message: string) => void lines.push(message);
 * const observed = observe({ name: 'numbers' });
 * const log = logRun(observed, { info: note, warn: note, error: note });
 * await from([1, 2, 3]).toArray({ observer: observed.observer });
 * log.close();
 * assert.deepEqual(lines, ['run started', 'run done']);
 * ```
 */
export function logRun(observed: Observed, logger: Logger, options: LogRunOptions = {}): RunLog {
  checkObserved('logRun()', observed);
  for (const level of ['info', 'warn', 'error'] as const) checkFunction('logRun()', `logger.${level}`, logger?.[level]);
  checkOptions('logRun()', options, ['errorEveryMs', 'clock']);
  const { errorEveryMs = 10_000, clock = backgroundClock } = options;
  checkMs('logRun()', 'errorEveryMs', errorEveryMs, 0);
  const limit = limiter(errorEveryMs, clock, ({ fields, count }) => logger.warn({ ...fields, count }, 'more errors'));
  const unwatch = observed.watch({
    started(pipeline, { plan }) {
      const stages = plan.stages.map(({ name }) => name);
      logger.info({ pipeline, stages, inFlightBound: plan.bound }, 'run started');
    },
    warned(pipeline, warning) {
      logger.warn({ pipeline, warning }, 'plan warning');
    },
    changed(pipeline, state) {
      // Closing is a moment in nearly every run; what could not be closed in time is in the summary.
      if (state === 'draining') logger.info({ pipeline, state }, 'run draining');
    },
    failed(pipeline, { stage, index, attempt, message }, type) {
      const fields = { pipeline, stage, 'error.type': type };
      if (limit.mayPass(fields)) logger.warn({ ...fields, index, attempt, error: message }, 'stage error');
    },
    ended(pipeline, summary, state, error) {
      limit.flush(pipeline);
      const fields = { pipeline, state, ...summary };
      if (state === 'failed') logger.error({ ...fields, err: error }, 'run failed');
      else if (state === 'aborted') logger.warn({ ...fields, reason: error }, 'run aborted');
      else if (summary.balanced && summary.leftOpen.length === 0) logger.info(fields, 'run done');
      else
        logger.warn(fields, summary.balanced ? 'run done, but not all was closed' : 'run done, but items are missing');
    },
  });
  return {
    close() {
      unwatch();
      limit.close();
    },
  };
}

interface Limiter {
  /** Whether this one is to be logged; else it is counted. */
  mayPass(fields: Suppressed['fields']): boolean;
  /** Tells what was counted for a pipeline, without letting the next pass earlier. */
  flush(pipeline: string): void;
  close(): void;
}

/**
 * Lets the first of each kind pass, and tells how many came after it when the time is up. A timer is set only while
 * something was counted and not yet told: none outlives the runs.
 */
function limiter(everyMs: number, clock: Clock, tell: (suppressed: Suppressed) => void): Limiter {
  const kinds = new Map<string, Suppressed & { readonly untilMs: number; timer: Timer | undefined }>();
  const flush = (which: (fields: Suppressed['fields']) => boolean): void => {
    for (const kind of kinds.values()) {
      if (kind.count === 0 || !which(kind.fields)) continue;
      kind.timer?.clear();
      tell(kind);
      kind.count = 0;
    }
  };
  return {
    mayPass(fields: Suppressed['fields']): boolean {
      const key = JSON.stringify(Object.values(fields));
      const kind = kinds.get(key);
      const now = clock.now();
      if (kind !== undefined && now < kind.untilMs) {
        if (kind.count++ === 0)
          kind.timer = clock.setTimer(() => flush((of) => of === kind.fields), kind.untilMs - now);
        return false;
      }
      kinds.set(key, { fields, count: 0, untilMs: now + everyMs, timer: undefined });
      return true;
    },
    flush: (pipeline) => flush((fields) => fields.pipeline === pipeline),
    close: () => flush(() => true),
  };
}
