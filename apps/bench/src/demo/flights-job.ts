/** The stages that are run alone, in the order of the pipeline. */
export const STAGES = ['read', 'reject, drop repeats, batch', 'airports', 'darkness', 'store'] as const;

/** One of them. */
export type StageName = (typeof STAGES)[number];

/** What a process is told to run. */
export interface FlightsJob {
  /** The job by hand, what comes before and after the flights, or a stage. */
  readonly what: 'hand' | 'set-up' | StageName;
  /** How many flights. */
  readonly limit: number;
  /** The first process of PostgreSQL, whose CPU time counts. */
  readonly serverPid: number;
}
