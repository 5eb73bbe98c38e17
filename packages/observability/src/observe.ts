import { type Clock, type Observer, type RunSummary, type RunView, type StageError, systemClock } from '@millrace/core';
import { checkOptions, outOfRange, wrongType } from '@millrace/core/authoring';
import { PipelineFigures } from './internal/pipeline-figures.js';
import { type Reading, readingOf, snapshotOf } from './internal/reading.js';
import type { Snapshot } from './snapshot.js';

/** What is observed, and how closely. */
export interface ObserveOptions {
  /** What the runs of {@link Observed.observer} are called. Default: `'pipeline'`. */
  readonly name?: string;
  /**
   * `'counters'`: counts, depths and errors, all of which the engine has anyway. `'latency'`: also the time that nodes
   * work and that items are in service, for which the clock is read once or twice a burst. Default: `'latency'`.
   */
  readonly detail?: 'counters' | 'latency';
  /** The time of snapshots. Default: the platform's. */
  readonly clock?: Clock;
}

/** Is told what happens to runs, at once; nothing in it is per item. */
export interface Watcher {
  /** A run begins. */
  started?(pipeline: string, run: RunView): void;
  /** A run was told to drain, or is over and closes what is open. */
  changed?(pipeline: string, state: 'draining' | 'closing'): void;
  /** The plan of a run has something that its author may not have meant. Where no watcher has this method, it goes to the console. */
  warned?(pipeline: string, message: string): void;
  /** A stage noted an error; `type` is its `code` or class. */
  failed?(pipeline: string, error: StageError, type: string): void;
  /** A run is over; `error` is what it failed or was aborted with. */
  ended?(pipeline: string, summary: RunSummary, state: 'done' | 'failed' | 'aborted', error: unknown): void;
}

/** Figures of pipelines, and what they come from. */
export interface Observed {
  /** For `run({ observer })`, any number of times. */
  readonly observer: Observer;
  /** Gives the observer of another pipeline: each name has figures of its own. */
  named(name: string): Observer;
  /** Reads all figures; with `since`, rates and percentiles are those of the time from that snapshot on. */
  snapshot(since?: Snapshot): Snapshot;
  /** Calls `watcher` from now on; the result ends that. */
  watch(watcher: Watcher): () => void;
}

/**
 * Collects the figures of runs: counts, rates, percentiles of service time, depths of edges, errors by type, state.
 *
 * Runs of one name add up, also when they are over, so totals never fall. Nothing is done per item, no timer is set, and
 * each reader has windows of its own: it keeps its last snapshot and gives it as `since`.
 *
 * @param options - `name`, `detail`, `clock`.
 * @returns The observer for `run({ observer })`, and the figures.
 * @throws TypeError `ERR_CORE_ARGUMENT` when an option is unknown or has a wrong type.
 *
 * @example Read how many items were filtered
 * ```ts
 * import { filter, from } from '@millrace/core';
 * const observed = observe({ name: 'readings' });
 * await from([22.5, -10, 150])
 *   .pipeThrough(filter((celsius) => celsius <= 85, { name: 'plausible' }))
 *   .toArray({ observer: observed.observer });
 * const [readings] = observed.snapshot().pipelines;
 * assert.equal(readings?.state, 'done');
 * assert.equal(readings?.stages[1]?.counts.filtered, 1);
 * ```
 */
export function observe(options: ObserveOptions = {}): Observed {
  checkOptions('observe()', options, ['name', 'detail', 'clock']);
  const { name = 'pipeline', detail = 'latency', clock = systemClock } = options;
  if (detail !== 'counters' && detail !== 'latency') {
    throw outOfRange('observe()', 'detail', detail, '"counters" or "latency"');
  }
  const figures = new Map<string, PipelineFigures>();
  const watchers = new Set<Watcher>();
  const readings = new WeakMap<Snapshot, Reading>();
  const now = (): number => clock.now();
  const start = now();

  const figuresOf = (pipeline: string): PipelineFigures => {
    let own = figures.get(pipeline);
    if (own === undefined) {
      own = new PipelineFigures(pipeline, detail === 'latency', now, {
        started: (run) => tell((watcher) => watcher.started?.(pipeline, run)),
        get warned() {
          // Where nobody listens the console is told, once for each message.
          if (![...watchers].some((watcher) => watcher.warned !== undefined)) return undefined;
          return (message: string) => tell((watcher) => watcher.warned?.(pipeline, message));
        },
        changed: (state) => tell((watcher) => watcher.changed?.(pipeline, state)),
        failed: (error, type) => tell((watcher) => watcher.failed?.(pipeline, error, type)),
        ended: (summary, state, error) => tell((watcher) => watcher.ended?.(pipeline, summary, state, error)),
      });
      figures.set(pipeline, own);
    }
    return own;
  };
  const tell = (about: (watcher: Watcher) => void): void => {
    for (const watcher of watchers) {
      try {
        about(watcher);
      } catch {
        // Observers must not throw into the engine: a logger that fails does not end the run.
      }
    }
  };
  const named = (pipeline: string): Observer => {
    if (typeof pipeline !== 'string' || pipeline === '') {
      throw wrongType('named()', 'name', pipeline, 'a string of one character or more');
    }
    return { started: (run) => figuresOf(pipeline).follow(run) };
  };
  return {
    observer: named(name),
    named,
    snapshot(since) {
      const before = since === undefined ? undefined : readings.get(since);
      if (since !== undefined && before === undefined) {
        throw wrongType('snapshot()', 'since', since, 'a snapshot of the same observe()');
      }
      const reading = readingOf(figures.values(), now());
      const snapshot = snapshotOf(reading, before, start);
      readings.set(snapshot, reading);
      return snapshot;
    },
    watch(watcher) {
      const own = { ...watcher };
      watchers.add(own);
      return () => void watchers.delete(own);
    },
  };
}
