import type { Enter } from './async-context.js';

/** What is known of an item apart from its value; goes with it through every stage of a run with `context: true`. */
export interface ItemOrigin {
  /** Where in its source the item is: the byte where a line begins, an offset or sequence number of a log. */
  readonly offset?: unknown;
  /** What the item is traced by, such as a `traceparent` header. */
  readonly trace?: unknown;
  /** Calls a function in the asynchronous context in which the item was given. Default: that of the run. */
  readonly enter?: Enter | undefined;
}

/** An origin whose context is known: that of the run, if no other. */
export interface Origin extends ItemOrigin {
  readonly enter: Enter;
}

/**
 * An item with its origin. In a run with `context: true` all that waits on edges and between nodes is one of these: what
 * only holds items, or passes them on, need not know; what calls a function of the user takes the item out.
 */
export class Carried {
  readonly item: unknown;
  readonly origin: Origin;

  constructor(item: unknown, origin: Origin) {
    this.item = item;
    this.origin = origin;
  }
}

/** The item itself, of one that may carry its origin. */
export function plain(item: unknown): unknown {
  return item instanceof Carried ? item.item : item;
}

/** Where an item comes from, if it carries that. */
export function originOf(item: unknown): Origin | undefined {
  return item instanceof Carried ? item.origin : undefined;
}

/** Calls a function for an item: in the item's context, where it carries one. */
export function within<R>(item: unknown, call: () => R): R {
  return item instanceof Carried ? item.origin.enter(call) : call();
}

/** Lets what was made of an item carry the same origin. */
export function carryOn(item: unknown, made: unknown): unknown {
  return item instanceof Carried ? new Carried(made, item.origin) : made;
}

/** Lets what was made of several items carry the origin of the last one: what is made then is made because of it. */
export function gather(items: readonly unknown[]): unknown {
  return carryOn(items[items.length - 1], items.map(plain));
}

/** A function of one item, for items that carry their origins: is called in its context, and what it makes carries on. */
export function carryingMap(fn: (item: unknown) => unknown): (item: unknown) => unknown {
  return (item) =>
    carryOn(
      item,
      within(item, () => fn(plain(item))),
    );
}

/** The same of what earlier items were made into and the next one, whose origin the result has. */
export function carryingFold(fn: (made: unknown, item: unknown) => unknown): (made: unknown, item: unknown) => unknown {
  return (made, item) =>
    carryOn(
      item,
      within(item, () => fn(plain(made), plain(item))),
    );
}
