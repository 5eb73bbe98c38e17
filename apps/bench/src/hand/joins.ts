/** What takes items; where it gives a promise, the next one waits for that. */
export type Consume<T = number> = (value: T) => void | PromiseLike<void>;

/**
 * Hands on the items of several asynchronous iterables as they arrive: one of each waits at most, those of one keep their
 * order. An error of an input, or of `consume`, closes all inputs and is passed on.
 */
export function mergeEach<T>(inputs: readonly AsyncIterable<T>[], consume: Consume<T>): Promise<void> {
  return new Promise((resolve, reject) => {
    const iterators = inputs.map((input) => input[Symbol.asyncIterator]());
    const waiting: Array<{ readonly input: AsyncIterator<T>; readonly value: T }> = [];
    let open = iterators.length;
    let isBusy = false;
    let isOver = false;
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      Promise.allSettled(iterators.map((input) => input.return?.())).then(() => reject(error));
    };
    const goOn = (): void => {
      isBusy = false;
      while (!isBusy && waiting.length > 0) {
        const { input, value } = waiting.shift() as (typeof waiting)[number];
        take(input, value);
      }
      if (open === 0 && !isBusy && !isOver) resolve();
    };
    const take = (input: AsyncIterator<T>, value: T): void => {
      if (isOver) return;
      try {
        const done = consume(value);
        ask(input);
        if (done === undefined) return;
        isBusy = true;
        done.then(goOn, fail);
      } catch (error) {
        fail(error);
      }
    };
    const ask = (input: AsyncIterator<T>): void => {
      input.next().then(({ done, value }) => {
        if (done === true) {
          open--;
          if (open === 0 && !isBusy && !isOver) resolve();
        } else if (isBusy) waiting.push({ input, value });
        else take(input, value);
      }, fail);
    };
    for (const input of iterators) ask(input);
  });
}

/**
 * Gives each item of an iterable to several consumers, the slowest of which sets the pace: none is more than an item behind.
 * An error of any of them closes the iterable and is passed on.
 */
export async function broadcastEach(input: Iterable<number>, consumers: readonly Consume[]): Promise<void> {
  const pending: PromiseLike<void>[] = [];
  for (const value of input) {
    for (let at = 0; at < consumers.length; at++) {
      const done = (consumers[at] as Consume)(value);
      if (done !== undefined) pending.push(done);
    }
    if (pending.length > 0) await Promise.all(pending.splice(0));
  }
}
