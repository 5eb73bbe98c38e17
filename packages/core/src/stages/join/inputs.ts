import type { Chain } from '../../engine/spec.js';
import { checkCount, checkOptions, wrongType } from '../../internal/arguments.js';
import { Pipeline } from '../../pipeline.js';
import { type EdgeMark, type EdgeOptions, edgeMark } from '../edge-options.js';

/** How pipelines are joined. */
export interface JoinOptions extends EdgeOptions<never> {
  /** What the stage is called in errors, plans and figures. Default: the name of the function. */
  readonly name?: string;
  /**
   * How many items of each input may wait, 1 or more; more where they come in bursts. With a `size`, how much they may
   * weigh, beyond one item of each. Default: 1 item.
   */
  readonly highWaterMark?: number | QueuingStrategy<never>;
}

/** Pipelines, one or more, and perhaps options behind them. */
export type Given = ReadonlyArray<Pipeline<unknown> | JoinOptions>;

/** Reads pipelines and the options behind them, and refuses what is neither. */
export function inputsOf(
  where: string,
  given: Given,
  known: readonly string[],
): { readonly inputs: readonly Chain[]; readonly options: JoinOptions; readonly mark: EdgeMark } {
  const last = given.at(-1);
  const isObject = typeof last === 'object' && last !== null && !Array.isArray(last);
  const hasOptions = given.length > 1 && isObject && !(last instanceof Pipeline);
  const options = hasOptions ? (last as JoinOptions) : {};
  checkOptions(where, options, known);
  const mark = edgeMark(where, options) ?? { highWaterMark: 1, size: undefined };
  checkCount(where, 'highWaterMark', mark.highWaterMark, 1);
  const pipelines = hasOptions ? given.slice(0, -1) : given;
  if (pipelines.length === 0) throw wrongType(where, 'the first pipeline', undefined, 'a pipeline');
  const inputs = pipelines.map((pipeline, at) => {
    if (!(pipeline instanceof Pipeline)) throw wrongType(where, `pipeline ${at + 1}`, pipeline, 'a pipeline');
    return pipeline.chain;
  });
  return { inputs, options, mark };
}
