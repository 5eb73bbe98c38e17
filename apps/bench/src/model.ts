import type { Random } from './random.js';

/**
 * What a figure is: CPU time of all threads, in microseconds; milliseconds that the program itself gives; milliseconds
 * from a process's start to its end; the most memory that it had, in bytes; the bytes that are alive.
 */
export type Metric = 'cpu' | 'ms' | 'wall' | 'rss' | 'bytes';

/** Whether other pipelines went through the same library code before. */
export type Condition = 'polluted' | 'clean';

/** One program of a comparison, as its module gives it to the process that runs it. */
export interface Program {
  /** Runs other pipelines through the same library code; left out where no library is involved. */
  pollute?(): unknown;
  /** Makes the input and gives what is measured: a function that does the whole work and returns its result. */
  prepare(items: number, random: Random): () => unknown;
}

/** Where a program comes from, and over how many items it is run. */
export interface Side {
  readonly name: string;
  /** The package whose version is named with it. */
  readonly package?: string;
  /** How many items it, and Millrace beside it, is run over. Default: those of the case. */
  readonly items?: number;
  /** Loads the program; only the process that runs it does so. Without one where the runtime lacks what it needs. */
  load(): Promise<Program | undefined>;
}

/** One comparison: Millrace and others at the same work. */
export interface Case {
  readonly suite: string;
  readonly name: string;
  readonly condition: Condition;
  /** What is not the default, or which variant of the work it is; may be empty. */
  readonly options: string;
  readonly metric: Metric;
  readonly items: number;
  readonly millrace: Side;
  /** Empty where Millrace's own figure says all. */
  readonly against: readonly Side[];
}

/** A comparison of whole programs, of which each is a process that is measured from outside. */
export interface ProgramCase {
  readonly suite: string;
  readonly name: string;
  readonly condition: Condition;
  readonly options: string;
  /** What it is compared with. Empty where Millrace's own figure says all. */
  readonly against: readonly { readonly name: string }[];
  /** Runs it, `runs` times in turn, and gives its rows. Input is real data: it is the same for every seed. */
  compare(runs: number): Promise<readonly Row[]>;
}

/** Whether a case is compared side by side, in processes of the harness; others run whole programs. */
export function hasSides(of: Case | ProgramCase): of is Case {
  return 'millrace' in of;
}

/** What a process is told to run. */
export interface Job {
  readonly suite: string;
  readonly case: string;
  readonly condition: Condition;
  readonly options: string;
  readonly side: string;
  readonly items: number;
  readonly seed: number;
}

/** What a process answers. */
export interface Figure {
  /** Microseconds of CPU time, or what the program gave. */
  readonly cost: number;
  /** Equal for equal results. */
  readonly digest: string;
  /** The runtime and its version. */
  readonly runtime: string;
}

/** One line of the table: the ratio of one pair of sides, or Millrace's own figure. */
export interface Row {
  readonly suite: string;
  readonly case: string;
  readonly condition: Condition;
  readonly against: string;
  readonly speed: number | null;
  readonly low: number;
  readonly high: number;
  readonly metric: Metric;
  readonly runs: number;
  readonly runtime: string;
  readonly options: string;
  readonly value?: number;
}
