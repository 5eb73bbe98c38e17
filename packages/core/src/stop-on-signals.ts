import { type Clock, systemClock } from './clock.js';
import { PipelineError } from './errors.js';
import { checkMs, checkOptions, outOfRange, wrongType } from './internal/arguments.js';

/** Signals that ask a process to end, and their numbers, which are the same everywhere. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

// A terminal sends Ctrl-C to npm and to its child, and npm passes it on: one within this time is the one before.
const ECHO_MS = 500;

/** A signal that asks a process to end. */
export type StopSignal = keyof typeof NUMBERS;

/** What can be told to stop: a {@link Run}, or what stops several. */
export interface Stoppable {
  drain(options: { readonly deadlineMs: number }): PromiseLike<unknown>;
  abort(reason: unknown): void;
}

/** Which signals, and how long a drain may take. */
export interface StopOptions {
  /** How long the first signal lets the run drain, in milliseconds. Default: 5,000. */
  readonly deadlineMs?: number;
  /**
   * The signals. Default: SIGINT, which is Ctrl-C, and SIGTERM. SIGHUP, of a terminal that closes, would also stop a
   * process that `nohup` shields from it.
   */
  readonly signals?: readonly StopSignal[];
  /** The time that echoes are told by. Default: the platform's. */
  readonly clock?: Clock;
}

/** Whether signals stopped a run. */
export interface Stopping {
  /** 128 and the number of the first signal, as shells have it; `undefined` where none came. */
  readonly exitCode: number | undefined;
  /** Does what a signal would do: for other reasons to stop. */
  stop(signal: StopSignal): void;
  /** Lets signals end the process as usual. */
  release(): void;
}

/**
 * Drains a run at the first signal that asks the process to end, and aborts it at the second; the third ends the process
 * as if nobody listened.
 *
 * One that comes less than 500 ms after the one before counts as its echo: under npm each Ctrl-C comes twice. How the
 * run ends is told by `run.finished` as ever. Where there are no signals (a browser, a worker) nothing is listened for.
 *
 * @param run - A run, or anything with `drain` and `abort`.
 * @param options - `deadlineMs`, `signals`, `clock`.
 * @returns The exit code to end with, `stop()` and `release()`; call `release()` when the run is over.
 * @throws TypeError or RangeError `ERR_CORE_ARGUMENT` when an argument is wrong.
 * @remarks Elsewhere: RxJS –; Rust `tokio::signal`; Akka `CoordinatedShutdown`; Node –.
 *
 * @example A program that finishes what it has begun when it is told to end
 * ```ts
 * const run = generate((index) => index).run(() => {});
 * const stopping = stopOnSignals(run, { deadlineMs: 10_000 });
 * setTimeout(() => stopping.stop('SIGTERM'), 5); // as `kill` would
 * const summary = await run.finished;
 * stopping.release();
 * assert.equal(summary.emitted, summary.read);
 * assert.equal(stopping.exitCode, 143); // for process.exitCode
 * ```
 */
export function stopOnSignals(run: Stoppable, options: StopOptions = {}): Stopping {
  checkOptions('stopOnSignals()', options, ['deadlineMs', 'signals', 'clock']);
  if (typeof run?.drain !== 'function' || typeof run.abort !== 'function') {
    throw wrongType('stopOnSignals()', 'run', run, 'a run, or an object with "drain" and "abort"');
  }
  const { deadlineMs = 5000, signals = ['SIGINT', 'SIGTERM'], clock = systemClock } = options;
  checkMs('stopOnSignals()', 'deadlineMs', deadlineMs, 0);
  for (const signal of signals) {
    if (!(signal in NUMBERS)) throw outOfRange('stopOnSignals()', 'signals', signal, Object.keys(NUMBERS).join(', '));
  }
  const host = hostProcess();
  let told = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let exitCode: number | undefined;
  const stop = (signal: StopSignal): void => {
    const now = clock.now();
    if (now - lastMs < ECHO_MS) return;
    lastMs = now;
    exitCode ??= 128 + NUMBERS[signal];
    told++;
    // How it ends is told by `run.finished`.
    if (told === 1) run.drain({ deadlineMs }).then(undefined, () => {});
    else if (told === 2)
      run.abort(new PipelineError('ERR_CORE_ABORTED', 'Cannot finish the run: it was told twice to stop'));
    else {
      release();
      host?.kill(host.pid, signal);
    }
  };
  const release = (): void => {
    for (const signal of signals) host?.off(signal, stop);
  };
  for (const signal of signals) host?.on(signal, stop);
  return {
    get exitCode() {
      return exitCode;
    },
    stop,
    release,
  };
}

/** What is needed of the `process` of Node, Deno and Bun. */
interface HostProcess {
  readonly pid: number;
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  kill(pid: number, signal: StopSignal): unknown;
}

/** The process, where it has signals: bundlers for browsers put in an object without them. */
function hostProcess(): HostProcess | undefined {
  const { process } = globalThis as { readonly process?: Partial<HostProcess> };
  return typeof process?.on === 'function' && typeof process.kill === 'function' ? (process as HostProcess) : undefined;
}
