/** Whether two values are equal, arrays and plain objects by what is in them. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

/** Whether `items` begins as `all` does; in any order where `isOrdered` is false. */
export function isPrefix(items: readonly unknown[], all: readonly unknown[], isOrdered: boolean): boolean {
  if (isOrdered) return items.length <= all.length && items.every((item, at) => isSame(item, all[at]));
  const left = [...all];
  return items.every((item) => {
    const at = left.findIndex((each) => isSame(each, item));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** Whether both are the same items; in any order where `isOrdered` is false. */
export function areSame(a: readonly unknown[], b: readonly unknown[], isOrdered: boolean): boolean {
  return a.length === b.length && isPrefix(a, b, isOrdered);
}

/** Shows items in a message, not too many. */
export function show(items: readonly unknown[]): string {
  const text = JSON.stringify(items.slice(0, 20), (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
  return items.length > 20 ? `${text} … (${items.length})` : text;
}
