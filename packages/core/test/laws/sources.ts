import { from, type Pipeline, range } from '@millrace/core';
import { source } from '@millrace/core/authoring';
import type { SourceCase } from './case.js';
import type { Life, World } from './world.js';

type Plain = SourceCase & { readonly kind: 'array' | 'range' | 'iterator' | 'reader' | 'async' | 'stream' };

/** Makes the source of a case; what is done to it is noted in the world. */
export function sourceOf(made: Plain, world: World): Pipeline<number> {
  const { name = '', items } = made;
  switch (made.kind) {
    case 'array':
      return from(
        Array.from({ length: items }, (_, at) => at),
        { name },
      );
    case 'range':
      return range(0, items);
    case 'iterator':
      return from({ [Symbol.iterator]: () => new NextNow(made, world) as Iterator<number> } as Iterable<number>, {
        name,
      });
    case 'reader':
      return readerOf(made, world);
    case 'async':
      return from({ [Symbol.asyncIterator]: () => new NextLater(made, world) } as AsyncIterable<number>, { name });
    case 'stream':
      return streamOf(made, world);
  }
}

/** Gives all that it is asked for. */
function readerOf(made: Plain, world: World): Pipeline<number> {
  const { name = '', items, fault } = made;
  return source<number>({
    name,
    open() {
      const life = world.life(name, 'source');
      let next = 0;
      let isReading = false;
      return {
        read(max) {
          if (isReading) life.problem = 'it was asked again before it had answered';
          if (life.closes > 0) life.problem = 'it was asked when it was closed';
          if (!(max >= 1)) life.problem = `it was asked for ${max}`;
          isReading = true;
          const give = (): readonly number[] | undefined => {
            isReading = false;
            const end = Math.min(
              items,
              next + max,
              next + 1000,
              fault !== undefined && fault.at > next ? fault.at : items,
            );
            const burst = Array.from({ length: end - next }, (_, at) => next + at);
            next = end;
            if (life.closes === 0) world.hand(burst.length);
            return burst.length > 0 ? burst : undefined;
          };
          const answer = world.call(made, give, next);
          if (answer instanceof Promise) answer.catch(() => (isReading = false));
          return answer;
        },
        close() {
          life.closes++;
        },
      };
    },
  });
}

/** An iterator that knows whether it was ended as it should be. */
class NextNow {
  readonly life: Life;
  protected readonly made: Plain;
  protected readonly world: World;
  protected next_ = 0;

  constructor(made: Plain, world: World) {
    this.made = made;
    this.world = world;
    this.life = world.life(made.name ?? '', 'source');
  }

  next(): IteratorResult<number> {
    this.asked();
    const { fault, name = '', items } = this.made;
    try {
      return this.world.call({ name, fault }, () => this.give(items), this.next_) as IteratorResult<number>;
    } catch (error) {
      this.life.isOver = true;
      throw error;
    }
  }

  return(): IteratorResult<number> {
    if (this.life.isOver) this.life.problem = 'it was told to return when it had ended';
    this.life.closes++;
    return { done: true, value: undefined };
  }

  protected asked(): void {
    if (this.life.closes > 0) this.life.problem = 'it was asked when it was closed';
    if (this.life.isOver) this.life.problem = 'it was asked when it had ended';
  }

  protected give(items: number): IteratorResult<number> {
    if (this.next_ >= items) {
      this.life.isOver = true;
      return { done: true, value: undefined };
    }
    this.world.hand(1);
    return { done: false, value: this.next_++ };
  }
}

class NextLater implements AsyncIterator<number> {
  readonly #life: Life;
  readonly #made: Plain;
  readonly #world: World;
  #next = 0;
  #isAsked = false;

  constructor(made: Plain, world: World) {
    this.#made = made;
    this.#world = world;
    this.#life = world.life(made.name ?? '', 'source');
  }

  async next(): Promise<IteratorResult<number>> {
    const life = this.#life;
    if (this.#isAsked) life.problem = 'it was asked again before it had answered';
    if (life.closes > 0) life.problem = 'it was asked when it was closed';
    this.#isAsked = true;
    const { items } = this.#made;
    try {
      return await this.#world.call(
        this.#made,
        (): IteratorResult<number> => {
          if (this.#next >= items) {
            life.isOver = true;
            return { done: true, value: undefined };
          }
          if (life.closes === 0) this.#world.hand(1);
          return { done: false, value: this.#next++ };
        },
        this.#next,
      );
    } catch (error) {
      life.isOver = true;
      throw error;
    } finally {
      this.#isAsked = false;
    }
  }

  async return(): Promise<IteratorResult<number>> {
    // It may have ended without that being known yet.
    this.#life.closes++;
    return { done: true, value: undefined };
  }
}

function streamOf(made: Plain, world: World): Pipeline<number> {
  const { name = '', items } = made;
  const life = world.life(name, 'source');
  let next = 0;
  const stream = new ReadableStream<number>(
    {
      pull(controller) {
        if (life.closes > 0) life.problem = 'it was asked when it was cancelled';
        const give = (): void => {
          if (life.closes > 0) return;
          if (next >= items) {
            life.isOver = true;
            controller.close();
            return;
          }
          world.hand(1);
          controller.enqueue(next++);
        };
        try {
          const answer = world.call(made, give, next);
          if (answer instanceof Promise) answer.catch(() => (life.isOver = true));
          return answer;
        } catch (error) {
          life.isOver = true;
          throw error;
        }
      },
      cancel() {
        life.closes++;
      },
    },
    { highWaterMark: 0 },
  );
  return from(stream, { name });
}
