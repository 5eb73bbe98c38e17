import type { Consume } from './joins.js';

/** What one key has: takes its items, and completes; both may give results. */
export interface KeyWork<T, O> {
  take(item: T, give: (result: O) => void): void;
  end(give: (result: O) => void): void;
}

interface Entry<T, O> {
  readonly key: unknown;
  readonly work: KeyWork<T, O>;
  older: Entry<T, O> | undefined;
  newer: Entry<T, O> | undefined;
}

/**
 * Gives the items of each key to a work of their own, made when the key first comes. One key more than `maxKeys` completes
 * the one used least recently. Where the consumer gives a promise, the next item waits for it. An error closes the
 * iterable and is passed on.
 */
export async function partitionEach<T, O>(
  input: Iterable<T>,
  keyOf: (item: T) => unknown,
  maxKeys: number,
  open: () => KeyWork<T, O>,
  consume: Consume<O>,
): Promise<void> {
  const entries = new Map<unknown, Entry<T, O>>();
  let oldest: Entry<T, O> | undefined;
  let newest: Entry<T, O> | undefined;
  let pending: PromiseLike<void> | undefined;
  let waiting: O[] = [];
  const give = (result: O): void => {
    if (pending !== undefined) return void waiting.push(result);
    pending = consume(result) ?? undefined;
  };
  const settle = async (): Promise<void> => {
    while (pending !== undefined) {
      await pending;
      const results = waiting;
      waiting = [];
      pending = undefined;
      for (const result of results) give(result);
    }
  };
  const unlink = ({ older, newer }: Entry<T, O>): void => {
    if (older === undefined) oldest = newer;
    else older.newer = newer;
    if (newer === undefined) newest = older;
    else newer.older = older;
  };
  const link = (entry: Entry<T, O>): void => {
    entry.older = newest;
    entry.newer = undefined;
    if (newest === undefined) oldest = entry;
    else newest.newer = entry;
    newest = entry;
  };
  for (const item of input) {
    const key = keyOf(item);
    let entry = entries.get(key);
    if (entry === undefined) {
      if (entries.size >= maxKeys && oldest !== undefined) {
        const last = oldest;
        unlink(last);
        entries.delete(last.key);
        last.work.end(give);
      }
      entry = { key, work: open(), older: undefined, newer: undefined };
      entries.set(key, entry);
      link(entry);
    } else if (entry !== newest) {
      unlink(entry);
      link(entry);
    }
    entry.work.take(item, give);
    if (pending !== undefined) await settle();
  }
  for (const { work } of entries.values()) work.end(give);
  await settle();
}
