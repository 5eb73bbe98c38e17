import { openPair } from '../engine/pair.js';
import { isStage, SPECS, type Stage, stageOfAll } from '../engine/stage.js';
import { checkOptions, wrongType } from '../internal/arguments.js';

/** What the stages are together. */
export interface ComposeOptions {
  /** Goes before the names of the stages: `'clean'` makes `'clean/map'` of `'map'`. Default: nothing. */
  readonly name?: string;
}

/**
 * Makes one stage of several, to be used wherever a stage can be, any number of times.
 *
 * The plan of a pipeline has the stages themselves: steps fuse with what is before and behind, and errors, figures and
 * the bound name each, with the name of the composed stage before its own. A composed stage may be part of another.
 *
 * Contract
 * - Order, holds, backpressure, failure, cancel: those of its stages, one behind the other.
 *
 * @typeParam I - What comes in.
 * @typeParam O - What goes out.
 * @param stages - One to ten, each taking what the one before gives, and at the end, where wanted, the options.
 * @returns A stage from what the first takes to what the last gives.
 * @throws TypeError `ERR_CORE_ARGUMENT` when what is given is not a stage of Millrace.
 * @remarks Elsewhere: RxJS `pipe`; Rust –; Akka `Flow.via`; Node `stream.compose`.
 *
 * @example A stage of stages
 * ```ts
 * const clean = compose(
 *   filter((celsius: number) => celsius <= 85),
 *   map((celsius) => Math.round(celsius)),
 *   { name: 'clean' },
 * );
 * assert.deepEqual(await from([22.5, 150]).pipeThrough(clean).toArray(), [23]);
 * assert.match(String(from([1]).pipeThrough(clean).explain()), /clean\/filter → clean\/map/);
 * ```
 */
export function compose<A, B, C, D, E, F, G, H, I, J, K>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  f: Stage<F, G>,
  g: Stage<G, H>,
  h: Stage<H, I>,
  i: Stage<I, J>,
  j: Stage<J, K>,
  options?: ComposeOptions,
): Stage<A, K>;
/** Makes one stage of nine. */
export function compose<A, B, C, D, E, F, G, H, I, J>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  f: Stage<F, G>,
  g: Stage<G, H>,
  h: Stage<H, I>,
  i: Stage<I, J>,
  options?: ComposeOptions,
): Stage<A, J>;
/** Makes one stage of eight. */
export function compose<A, B, C, D, E, F, G, H, I>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  f: Stage<F, G>,
  g: Stage<G, H>,
  h: Stage<H, I>,
  options?: ComposeOptions,
): Stage<A, I>;
/** Makes one stage of seven. */
export function compose<A, B, C, D, E, F, G, H>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  f: Stage<F, G>,
  g: Stage<G, H>,
  options?: ComposeOptions,
): Stage<A, H>;
/** Makes one stage of six. */
export function compose<A, B, C, D, E, F, G>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  f: Stage<F, G>,
  options?: ComposeOptions,
): Stage<A, G>;
/** Makes one stage of five. */
export function compose<A, B, C, D, E, F>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  options?: ComposeOptions,
): Stage<A, F>;
/** Makes one stage of four. */
export function compose<A, B, C, D, E>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  options?: ComposeOptions,
): Stage<A, E>;
/** Makes one stage of three. */
export function compose<A, B, C, D>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  options?: ComposeOptions,
): Stage<A, D>;
/** Makes one stage of two. */
export function compose<A, B, C>(a: Stage<A, B>, b: Stage<B, C>, options?: ComposeOptions): Stage<A, C>;
/** Makes one stage of one. */
export function compose<A, B>(a: Stage<A, B>, options?: ComposeOptions): Stage<A, B>;
// From long to short: a short signature that is tried first takes the last stage for options, and fixes what its functions take.
export function compose(
  ...given: ReadonlyArray<Stage<unknown, unknown> | ComposeOptions | undefined>
): Stage<unknown, unknown> {
  const last = given.at(-1);
  const isOptions =
    last === undefined || (typeof last === 'object' && last !== null && !isStage(last) && !isPair(last));
  const hasOptions = given.length > 1 && isOptions;
  const options = (hasOptions && (last as ComposeOptions | undefined)) || {};
  checkOptions('compose()', options, ['name']);
  const { name } = options;
  const stages = hasOptions ? given.slice(0, -1) : given;
  if (stages.length === 0) throw wrongType('compose()', 'the first stage', undefined, MUST_BE);
  const specs = stages.flatMap((stage, at) => {
    if (!isStage(stage)) throw wrongType('compose()', `stage ${at + 1}`, stage, MUST_BE);
    return stage[SPECS];
  });
  return stageOfAll(
    name === undefined ? specs : specs.map((spec) => ({ ...spec, name: `${name}/${spec.name}` })),
    openPair,
  );
}

const MUST_BE = 'a stage of Millrace; a foreign pair serves one run, so it goes into pipeThrough()';

/** A foreign pair is a mistake with a better message than that of an unknown option. */
function isPair(value: object): boolean {
  return 'readable' in value && 'writable' in value;
}
