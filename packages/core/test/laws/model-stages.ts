import type { Fault, StageCase, Value } from './case.js';
import type { Expected, Possible } from './model.js';
import { windowsOf } from './model-windows.js';
import { isEarly, isKept, keyOf, mapped, summed, unfolded } from './values.js';

// What stages make of items, by arrays.

/** What comes in an unsure number before an error. */
export function lossy(from: Expected): Expected {
  return { ...from, isExact: from.isExact && from.errors.length === 0 };
}

/** What passes a function that fails, or hangs, at one of its calls. */
export function failedAt(from: Expected, fault: Fault | undefined, stage: string): Expected {
  if (fault === undefined || fault.at >= from.items.length) return from;
  // A run with a function that hangs is aborted.
  if (fault.how === 'hangs') return { ...from, isExact: false, isSome: true };
  return failing(from, { stage, index: fault.at }, fault.at);
}

/** The fault of a stage, unless its function is not called so often: some ask until the first item that is not early. */
export function calledOf({ items }: Expected, { kind }: StageCase, fault: Fault | undefined): Fault | undefined {
  if (kind !== 'dropWhile' && kind !== 'takeWhile') return fault;
  const last = items.findIndex((value) => !isEarly(value));
  return fault !== undefined && last >= 0 && fault.at > last ? undefined : fault;
}

/** What is done in the order of completion: what comes before a failure is a matter of chance. */
export function outOfStep(from: Expected, stage: StageCase): Expected {
  const isOrdered = stage.kind !== 'mapAsync' || stage.ordered || stage.concurrency === 1;
  return isOrdered ? from : { ...lossy(from), isOrdered: false, isInOrder: false };
}

export function failing(from: Expected, error: Possible, at: number): Expected {
  if (from.isExact && from.isOrdered)
    return { ...from, items: from.items.slice(0, at), errors: [error], mayEndWell: false };
  return { ...from, errors: [...from.errors, error], mayEndWell: from.mayEndWell && from.isSome };
}

export function applied(from: Expected, stage: StageCase, name: string): Expected {
  const { items } = from;
  switch (stage.kind) {
    case 'map':
    case 'mapAsync':
      return { ...from, items: items.map(mapped) };
    case 'filter':
    case 'filterMap':
      return { ...from, items: items.filter(isKept) };
    case 'scan': {
      let sum = 0;
      return { ...from, items: items.map((value) => (sum = summed(sum, value))) };
    }
    case 'dedupe':
      return {
        ...from,
        items: items.filter((value, at) => at === 0 || keyOf(value) !== keyOf(items[at - 1] as Value)),
      };
    case 'unique': {
      const seen = new Set<number>();
      return { ...from, items: items.filter((value) => !seen.has(keyOf(value)) && seen.add(keyOf(value))) };
    }
    case 'takeWhile': {
      const end = items.findIndex((value) => !isEarly(value));
      return end < 0 ? from : taken(from, end);
    }
    case 'dropWhile': {
      const first = items.findIndex((value) => !isEarly(value));
      return { ...from, items: first < 0 ? [] : items.slice(first) };
    }
    case 'totals': {
      let sum = 0;
      const totals = items.map((value) => (sum = summed(sum, value)));
      // An error leaves out the one at the end.
      return { ...from, items: from.isExact && !from.mayEndWell ? totals : [...totals, sum] };
    }
    case 'drop':
      return { ...from, items: items.slice(stage.items) };
    case 'take':
      return taken(from, stage.items);
    case 'batch':
      return batched(from, stage.maxItems);
    case 'flatMap':
      return unfolding(from, stage, name);
    case 'regroup':
      return lossy(from);
    case 'foreign': {
      const { fault } = stage;
      const end = { ...from, items: items.map(mapped) };
      if (fault === undefined || fault.at >= items.length) return end;
      if (fault.how === 'hangs') return { ...end, isExact: false, isSome: true };
      return failing({ ...end, isExact: false }, { stage: name, index: undefined }, fault.at);
    }
    case 'window':
      return windowed(from, stage);
    case 'debounce':
    case 'throttle':
    case 'sample':
      return thinned(from);
    case 'overflow':
      if (stage.overflow !== 'fail') return thinned(from);
      return {
        ...from,
        errors: [...from.errors, { stage: name, index: undefined, code: 'ERR_CORE_OVERFLOW' }],
        isExact: false,
      };
    default:
      return from;
  }
}

/** Some items are missing. */
function thinned(from: Expected): Expected {
  return { ...from, isExact: false, isOrdered: false, isSome: true };
}

function windowed(from: Expected, stage: StageCase & { readonly kind: 'window' }): Expected {
  // An error discards the windows that are open.
  if (stage.isFlat === true) return lossy(from);
  const { closed, open } = windowsOf(from.items, stage);
  return { ...from, items: from.isExact && !from.mayEndWell ? closed : [...closed, ...open] };
}

function taken(from: Expected, items: number): Expected {
  if (from.isExact && from.isOrdered) {
    if (items > from.items.length) return from;
    return { ...from, items: from.items.slice(0, items), errors: [], mayEndWell: true };
  }
  const most = Math.min(from.most, items);
  if (items > from.items.length) return { ...from, most };
  if (!from.isOrdered) return { ...from, isExact: false, isSome: true, mayEndWell: true, most };
  return {
    ...from,
    isExact: from.isExact,
    isSome: from.isSome,
    items: from.items.slice(0, items),
    mayEndWell: true,
    most,
  };
}

function batched(from: Expected, maxItems: number): Expected {
  const { items } = from;
  const batches = Array.from({ length: Math.ceil(items.length / maxItems) }, (_, at) =>
    items.slice(at * maxItems, (at + 1) * maxItems),
  );
  // An error discards the batch that is open.
  const isCut = from.isExact && !from.mayEndWell && items.length % maxItems > 0;
  return { ...from, items: isCut ? batches.slice(0, -1) : batches };
}

function unfolding(from: Expected, stage: StageCase & { readonly kind: 'flatMap' }, name: string): Expected {
  const most = from.most * Math.max(1, ...from.items.map((value) => unfolded(value, stage.most).length));
  const made = from.items.map((value) => unfolded(value, stage.most));
  const all: Expected = { ...from, items: made.flat(), most };
  if (stage.inside === undefined || !stage.isIterator || stage.inside >= all.items.length) return all;
  let left = stage.inside;
  const index = made.findIndex((items) => {
    left -= items.length;
    return left < 0;
  });
  return failing(all, { stage: name, index: from.isExact && from.isOrdered ? index : undefined }, stage.inside);
}
