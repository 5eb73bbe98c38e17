import type { JoinBy, Value } from './case.js';
import type { Expected } from './model.js';
import { placeOf } from './values.js';

// What joins by a rule give, by arrays.

/** What a join gives, of inputs that end as they may. */
export function joinedBy(by: Exclude<JoinBy, 'merge'>, inputs: readonly Expected[], isFlat: boolean): Expected {
  if (by === 'concat') return inputs.reduce(behind);
  if (by === 'zip')
    return isFlat ? { ...unsure(inputs), mayEndWell: inputs.some(({ mayEndWell }) => mayEndWell) } : zipped(inputs);
  const isSome = inputs.some((input) => input.isSome);
  if (!inputs.every(({ isOrdered }) => isOrdered)) return { ...unsure(inputs), isSome };
  const { items, ends } = by === 'interleave' ? inTurn(inputs) : inOrderOfPlaces(inputs);
  const inOrder = { ...unsure(inputs), items, isOrdered: true, isInOrder: true, isSome };
  if (!inputs.every(({ isExact }) => isExact)) return inOrder;
  const errors = ends.flatMap((input) => input.errors);
  return { ...inOrder, errors, mayEndWell: errors.length === 0, isExact: true };
}

/** All that can come of several inputs. */
function unsure(inputs: readonly Expected[]): Expected {
  const lengths = new Set(inputs.map(({ items }) => items.length));
  return {
    items: inputs.flatMap(({ items }) => items),
    isOrdered: false,
    isInOrder: false,
    errors: inputs.flatMap(({ errors }) => errors),
    mayEndWell: inputs.every(({ mayEndWell }) => mayEndWell),
    isExact: false,
    isSome: lengths.size > 1 || inputs.some(({ isSome }) => isSome),
    most: inputs.reduce((sum, { most }) => sum + most, 0),
  };
}

function behind(first: Expected, second: Expected): Expected {
  if (first.isExact && !first.mayEndWell) return first;
  const isOrdered = first.isOrdered && second.isOrdered;
  return {
    items: [...first.items, ...second.items],
    isOrdered,
    isInOrder: first.isInOrder && second.isInOrder,
    errors: [...first.errors, ...second.errors],
    mayEndWell: first.mayEndWell && second.mayEndWell,
    isExact: first.isExact && second.isExact && isOrdered,
    isSome: first.isSome || second.isSome,
    most: first.most + second.most,
  };
}

/** As many tuples as the shortest has items; which of several that are as short ends it is a matter of chance. */
function zipped(inputs: readonly Expected[]): Expected {
  const tuples = Math.min(...inputs.map(({ items }) => items.length));
  const shortest = inputs.filter(({ items }) => items.length === tuples);
  const isExact = inputs.every((input) => input.isExact);
  const errors = (isExact ? shortest : inputs).flatMap((input) => input.errors);
  const mayEndWell = shortest.some((input) => input.mayEndWell);
  return {
    items: Array.from({ length: tuples }, (_, at): Value => inputs.map(({ items }) => items[at] as Value)),
    isOrdered: true,
    isInOrder: true,
    errors,
    mayEndWell,
    isExact: isExact && !(mayEndWell && errors.length > 0),
    isSome: shortest.some(({ isSome }) => isSome),
    most: Math.min(...inputs.map(({ most }) => most)),
  };
}

interface Rule {
  readonly items: readonly Value[];
  /** The inputs of which one ends it; none where all items come. */
  readonly ends: readonly Expected[];
}

const failed = ({ errors, mayEndWell, isExact }: Expected): boolean => isExact && !mayEndWell && errors.length > 0;

function inTurn(inputs: readonly Expected[]): Rule {
  const items: Value[] = [];
  const left = inputs.map((input) => ({ input, items: [...input.items] }));
  for (let turn = 0; left.some((each) => each.items.length > 0 || failed(each.input)); turn++) {
    const each = left[turn % left.length] as (typeof left)[number];
    const item = each.items.shift();
    if (item !== undefined) items.push(item);
    else if (failed(each.input)) return { items, ends: [each.input] };
  }
  return { items, ends: [] };
}

function inOrderOfPlaces(inputs: readonly Expected[]): Rule {
  const items: Value[] = [];
  const left = inputs.map((input, number) => ({ input, number, at: 0 }));
  for (;;) {
    const over = left.filter(({ input, at }) => at === input.items.length);
    const ends = over.map(({ input }) => input).filter(failed);
    if (ends.length > 0 || over.length === left.length) return { items, ends };
    const open = left.filter((each) => !over.includes(each));
    const least = open.reduce((a, b) => (placeOf(b.at, b.number) < placeOf(a.at, a.number) ? b : a));
    items.push(least.input.items[least.at++] as Value);
  }
}
