import { checkOptions } from '../internal/arguments.js';

/** What every synchronous stage takes. */
export interface StepOptions {
  /** What the stage is called in errors, plans and figures. Default: the name of its function. */
  readonly name?: string;
  /**
   * How many items may wait before the stage. Given, the stage reads ahead by that much and begins a fused group of its
   * own; not given, it has no edge and is fused with the stage before it.
   */
  readonly highWaterMark?: number;
}

const NAMES = ['name', 'highWaterMark'] as const;

/** Refuses wrong options of a synchronous stage; `more` are the names of its own. */
export function checkStepOptions(where: string, options: StepOptions, more: readonly string[] = []): void {
  checkOptions(where, options, [...NAMES, ...more]);
}
