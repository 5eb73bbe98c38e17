import type { ErrorPolicy } from '../../engine/rejects.js';
import type { Chain, SourceSpec } from '../../engine/spec.js';
import { routeKind } from '../../engine/split-rules.js';
import { checkFunction, checkOptions, outOfRange, wrongType } from '../../internal/arguments.js';
import type { Pipeline } from '../../pipeline.js';
import { type EdgeOptions, edgeMark } from '../edge-options.js';
import { checkPolicy } from '../fault/fallback.js';
import type { UseMapAsyncForPromises } from '../not-promise.js';
import { branchesOf } from './branches.js';

/**
 * How items find their branch.
 *
 * @typeParam T - The items.
 */
export interface RouteOptions<T = never> extends EdgeOptions<T> {
  /** What the stage is called in errors, plans and figures; a branch `a` is `'route a'`. Default: `'route'`. */
  readonly name?: string;
  /**
   * How many items may wait before each branch; more where branches take them in bursts. With a `size`, how much they may
   * weigh. Default: 1 item.
   */
  readonly highWaterMark?: number | QueuingStrategy<T>;
  /**
   * What becomes of an item that no predicate is true for: it fails, as `onError` has it, or is counted as dropped. Default:
   * `'fail'`.
   */
  readonly unmatched?: 'fail' | 'drop';
  /**
   * What becomes of an item on which a predicate fails: `'fail'` fails the run, `'skip'` leaves it out,
   * `deadLetter(writable)` writes it to a stream, which the stage waits for, and `fallback(fn)` gives the name of its
   * branch. Default: `'fail'`.
   */
  readonly onError?: ErrorPolicy<T, string>;
}

/** The predicates of `route()`, by the name of the branch. */
export type Routes<T> = Readonly<Record<string, (item: T, index: number) => boolean | UseMapAsyncForPromises>>;

/** A predicate that says of which type the items are for which it is true. */
type Guard<T, S extends T> = (item: T, index: number) => item is S;

/** The branches of `route()`, by name; what a type guard lets through is the type of its branch. */
export type Routed<T, R> = { readonly [K in keyof R]: Pipeline<R[K] extends Guard<T, infer S> ? S : T> };

/** The names and sources of the branches of a chain. */
export function routesOf(
  chain: Chain,
  predicates: Routes<never>,
  options: RouteOptions<never>,
): ReadonlyArray<readonly [string, SourceSpec]> {
  if (typeof predicates !== 'object' || predicates === null)
    throw wrongType('route()', 'predicates', predicates, 'an object of predicates, by the name of the branch');
  const names = Object.keys(predicates);
  if (names.length === 0) throw wrongType('route()', 'predicates', predicates, 'one or more');
  for (const name of names) {
    checkFunction('route()', `predicate "${name}"`, predicates[name]);
    // Such names lose their place in an object, and the first that is true wins.
    if (/^\d+$/.test(name)) throw outOfRange('route()', 'the name of a branch', name, 'more than a number');
  }
  checkOptions('route()', options, ['name', 'highWaterMark', 'size', 'unmatched', 'onError']);
  const { name = 'route', unmatched = 'fail', onError } = options;
  const mark = edgeMark('route()', options) ?? { highWaterMark: 1 };
  if (onError !== undefined) checkPolicy('route()', onError);
  if (unmatched !== 'fail' && unmatched !== 'drop')
    throw outOfRange('route()', 'unmatched', unmatched, "'fail' or 'drop'");
  const given = Object.values(predicates) as Array<(item: unknown, index: number) => unknown>;
  const kind = routeKind(names, given, unmatched === 'drop', onError);
  const sources = branchesOf(chain, names.length, { name, ...mark }, kind);
  return names.map((each, at) => [each, sources[at] as SourceSpec] as const);
}
