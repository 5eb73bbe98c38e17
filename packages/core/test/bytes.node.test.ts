import {
  batch,
  buffer,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  merge,
  mergeSorted,
  type Pipeline,
  partitionBy,
  type RunOptions,
  runAll,
} from '@millrace/core';
import { source } from '@millrace/core/authoring';
import { virtualClock } from '@millrace/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

// One budget for whole pipelines, on random graphs: the test keeps its own account of which items of sources are inside. A
// failure prints the seed and the path that repeat it.

/** A part of an item of a source; `size` is what that weighs. */
interface Part {
  readonly id: number;
  readonly size: number;
}

/** What sources handed on and has not all ended, by an account of its own. */
class Account {
  readonly open = new Map<number, { size: number; parts: number }>();
  total = 0;
  most = 0;
  #next = 0;

  begin(size: number): Part {
    const part = { id: this.#next++, size };
    this.open.set(part.id, { size, parts: 1 });
    this.total += size;
    this.most = Math.max(this.most, this.total);
    return part;
  }

  more({ id }: Part, parts: number): void {
    const item = this.open.get(id);
    if (item === undefined) throw new Error(`item ${id} is split when it is gone`);
    item.parts += parts;
    if (item.parts > 0) return;
    this.open.delete(id);
    this.total -= item.size;
  }
}

interface World {
  readonly account: Account;
  readonly clock: ReturnType<typeof virtualClock>;
}

type Parts = Pipeline<Part>;

interface Graph {
  readonly text: string;
  /** The sizes of the items of each source. */
  readonly sources: ReadonlyArray<readonly number[]>;
  build(world: World): Parts;
}

interface Step {
  readonly text: string;
  add(parts: Parts, world: World): Parts;
}

const small = fc.integer({ min: 1, max: 4 });

const plainSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ text: 'map', add: (p) => p.pipeThrough(map((part) => ({ ...part }))) }),
  fc.constant<Step>({
    text: 'filter',
    add: (p, { account }) =>
      p.pipeThrough(
        filter((part) => {
          if (part.id % 3 !== 0) return true;
          account.more(part, -1);
          return false;
        }),
      ),
  }),
  fc.integer({ min: 0, max: 3 }).map<Step>((times) => ({
    text: `flatMap ${times}`,
    add: (p, { account }) =>
      p.pipeThrough(
        flatMap((part) => {
          account.more(part, times - 1);
          return Array.from({ length: times }, () => ({ ...part }));
        }),
      ),
  })),
  small.map<Step>((items) => ({ text: `buffer ${items}`, add: (p) => p.pipeThrough(buffer(items)) })),
  fc.tuple(small, fc.boolean(), fc.integer({ min: 0, max: 5 })).map<Step>(([concurrency, ordered, mark]) => ({
    text: `mapAsync ${concurrency} ${ordered} ${mark}`,
    add: (p, { clock }) => {
      const slow = async (part: Part): Promise<Part> => {
        await clock.sleep(part.id % 4);
        return { ...part };
      };
      return p.pipeThrough(
        mapAsync((part: Part) => (part.id % 2 === 0 ? part : slow(part)), {
          concurrency,
          ordered,
          highWaterMark: mark,
        }),
      );
    },
  })),
  fc.tuple(small, fc.boolean()).map<Step>(([maxItems, isTimed]) => ({
    text: `batch ${maxItems} ${isTimed}`,
    add: (p) =>
      p
        .pipeThrough(batch<Part>({ maxItems: maxItems * 3, ...(isTimed && { maxWaitMs: 1_000_000 }) }))
        .pipeThrough(flatMap((parts) => parts)),
  })),
);

/** Any of these, also for each key by itself. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: plainSteps },
  fc.tuple(small, small, plainSteps).map<Step>(([keys, maxKeys, step]) => ({
    text: `partitionBy ${keys} of ${maxKeys} (${step.text})`,
    add: (p, world) =>
      p.pipeThrough(
        partitionBy(
          ({ id }: Part) => id % keys,
          { maxKeys },
          (branch) => step.add(branch, world),
        ),
      ),
  })),
);

const kinds = fc.constantFrom('loop', 'now', 'later');
const sizes = fc.array(fc.oneof(small, fc.integer({ min: 1, max: 40 })), { maxLength: 25 });

const sourceOf = (own: readonly number[], kind: string, { account, clock }: World): Parts => {
  if (kind === 'loop') {
    return from(function* () {
      for (const size of own) yield account.begin(size);
    });
  }
  return source<Part>({
    name: 'parts',
    open() {
      let at = 0;
      const read = (max: number): Part[] | undefined => {
        const count = Math.min(max, own.length - at);
        return count === 0 ? undefined : Array.from({ length: count }, () => account.begin(own[at++] as number));
      };
      return { read: (max) => (kind === 'now' ? read(max) : clock.sleep(at % 3).then(() => read(max))), close() {} };
    },
  });
};

const { graph } = fc.letrec<{ graph: Graph }>((tie) => ({
  graph: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(sizes, kinds).map<Graph>(([own, kind]) => ({
      text: `${kind} ${own.join(' ')}`,
      sources: [own],
      build: (world) => sourceOf(own, kind, world),
    })),
    fc.tuple(tie('graph'), steps).map<Graph>(([before, step]) => ({
      text: `${before.text} → ${step.text}`,
      sources: before.sources,
      build: (world) => step.add(before.build(world), world),
    })),
    fc.tuple(fc.array(tie('graph'), { minLength: 2, maxLength: 3 }), small).map<Graph>(([inputs, highWaterMark]) => ({
      text: `merge ${highWaterMark} (${inputs.map((input) => input.text).join(', ')})`,
      sources: inputs.flatMap((input) => input.sources),
      build: (world) => merge(...inputs.map((input) => input.build(world)), { highWaterMark }),
    })),
    fc
      .tuple(tie('graph'), fc.tuple(steps, steps), fc.constantFrom('partition', 'balance'))
      .map<Graph>(([before, [left, right], how]) => ({
        text: `${before.text} → ${how} (${left.text}, ${right.text})`,
        sources: before.sources,
        build(world) {
          const parts = before.build(world);
          const [one, other] = how === 'balance' ? parts.balance(2) : parts.partition(({ id }) => id % 5 > 1);
          return merge(left.add(one, world), right.add(other, world));
        },
      })),
    fc.tuple(tie('graph'), tie('graph'), fc.constantFrom(-1, 0)).map<Graph>(([left, right, order]) => ({
      text: `mergeSorted ${order} (${left.text}, ${right.text})`,
      sources: [...left.sources, ...right.sources],
      // Needs one of each input at hand; which it takes first is all the same.
      build: (world) => mergeSorted(left.build(world), right.build(world), { compare: () => order }),
    })),
    fc
      .tuple(
        tie('graph'),
        fc.array(fc.array(steps, { maxLength: 2 }), { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 0, max: 3 }),
      )
      .map<Graph>(([before, branches, highWaterMark]) => ({
        text: `${before.text} → diamond ${highWaterMark} (${branches.map((branch) => branch.map(({ text }) => text).join(' → ')).join(', ')})`,
        sources: before.sources,
        build(world) {
          const counted = before.build(world).pipeThrough(
            map((part) => {
              world.account.more(part, branches.length - 1);
              return part;
            }),
          );
          const copies = counted.broadcast(branches.length, { highWaterMark });
          return merge(
            ...branches.map((branch, at) => branch.reduce<Parts>((p, step) => step.add(p, world), copies[at] as Parts)),
          );
        },
      })),
  ),
}));

// Branches that run out of step are warned of, and not what this is about.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }];

test('maxBytesInFlight is not exceeded but by one item of each source, on random graphs, and no run stands still', async () => {
  await fc.assert(
    fc.asyncProperty(
      graph,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 2 }),
      fc.constantFrom(...ways),
      async (made, maxBytesInFlight, sinks, way) => {
        const world = { account: new Account(), clock: virtualClock() };
        const { account, clock } = world;
        const pieces = made.build(world);
        let isStalled = true;
        const sink = async (part: Part): Promise<void> => {
          while (isStalled) await clock.sleep(1_000);
          await clock.sleep(part.id % 2);
          account.more(part, -1);
        };
        const options = { ...way, clock, maxBytesInFlight, sizeOf: ({ size }: Part) => size };
        const counted = pieces.pipeThrough(
          map((part) => {
            account.more(part, sinks - 1);
            return part;
          }),
        );
        const ends = sinks === 1 ? [counted] : counted.broadcast(sinks);
        const run = runAll(...ends.map((each) => each.into(sink)), options);
        const { finished } = run;
        finished.catch(() => {});
        await clock.advance(5_000);
        isStalled = false;
        const summary = await clock.until(finished);
        expect(summary).toMatchObject({ balanced: true, read: made.sources.flat().length });
        expect([account.open.size, account.total]).toEqual([0, 0]);
        const heaviest = made.sources.reduce((sum, own) => sum + Math.max(0, ...own), 0);
        expect(account.most).toBeLessThan(maxBytesInFlight + Math.max(1, heaviest));
      },
    ),
    { numRuns: 150, seed: 20_261_122 },
  );
});
