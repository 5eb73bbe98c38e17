import {
  batch,
  buffer,
  drop,
  filter,
  flatMap,
  from,
  map,
  mapAsync,
  merge,
  type Pipeline,
  partitionBy,
  type RunOptions,
  tap,
} from '@millrace/core';
import { Mark, source } from '@millrace/core/authoring';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Item, marks, seen } from './mark-stages.js';

// A graph is a list of segments, what its source gives between its marks, and what becomes of them: each segment must
// come out as a whole, between the same marks. A failure prints the seed and the path that repeat it.

interface Made {
  readonly text: string;
  build(): Pipeline<number>;
  /** What comes out before each mark, and behind the last. */
  readonly segments: readonly (readonly number[])[];
}

interface Step {
  readonly text: string;
  add(numbers: Pipeline<number>): Pipeline<number>;
  /** What becomes of a segment, whatever came before. */
  model(numbers: readonly number[]): readonly number[];
}

const small = fc.integer({ min: 1, max: 4 });
const pass = (numbers: readonly number[]): readonly number[] => numbers;

const plainSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ text: 'map', add: (p) => p.pipeThrough(map((n) => n + 1)), model: (a) => a.map((n) => n + 1) }),
  fc.constant<Step>({
    text: 'filter',
    add: (p) => p.pipeThrough(filter((n) => n % 3 !== 0)),
    model: (a) => a.filter((n) => n % 3 !== 0),
  }),
  fc.constant<Step>({
    text: 'flatMap',
    add: (p) => p.pipeThrough(flatMap((n) => [n, n + 7])),
    model: (a) => a.flatMap((n) => [n, n + 7]),
  }),
  small.map<Step>((items) => ({ text: `buffer ${items}`, add: (p) => p.pipeThrough(buffer(items)), model: pass })),
  fc.tuple(small, fc.boolean()).map<Step>(([concurrency, ordered]) => ({
    text: `mapAsync ${concurrency} ${ordered}`,
    add: (p) =>
      p.pipeThrough(
        mapAsync(
          (n: number) => (n % 3 === 0 ? n : n % 3 === 1 ? Promise.resolve(n) : Promise.resolve().then(() => n)),
          {
            concurrency,
            ordered,
          },
        ),
      ),
    model: pass,
  })),
  fc.tuple(small, fc.boolean()).map<Step>(([maxItems, isTimed]) => ({
    text: `batch ${maxItems} ${isTimed}`,
    add: (p) =>
      p
        .pipeThrough(batch<number>(isTimed ? { maxItems, maxWaitMs: 60_000 } : { maxItems }))
        .pipeThrough(flatMap((items) => items)),
    model: pass,
  })),
  small.map<Step>((maxBytes) => ({
    text: `batch of ${maxBytes} bytes`,
    add: (p) => p.pipeThrough(batch<number>({ maxBytes, sizeOf: () => 1 })).pipeThrough(flatMap((items) => items)),
    model: pass,
  })),
  fc.integer({ min: 0, max: 3 }).map<Step>((highWaterMark) => ({
    text: `tap ${highWaterMark}`,
    add: (p) => p.pipeThrough(tap(() => {}, { highWaterMark })).pipeThrough(drop(0)),
    model: pass,
  })),
);

/** Any of these, also for each key by itself. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: plainSteps },
  fc.tuple(small, fc.array(plainSteps, { maxLength: 2 })).map<Step>(([keys, inside]) => ({
    text: `partitionBy ${keys} (${inside.map(({ text }) => text).join(' → ')})`,
    add: (p) =>
      p.pipeThrough(
        partitionBy(
          (n: number) => n % keys,
          { maxKeys: keys },
          (branch) => inside.reduce<Pipeline<number>>((all, step) => step.add(all), branch),
        ),
      ),
    model: (numbers) => inside.reduce((all, step) => step.model(all), numbers),
  })),
);

/** Segments as a source with a mark between each two of them. */
function sourceOf(
  segments: readonly (readonly number[])[],
  kind: string,
  markOf: (at: number) => Mark,
): Pipeline<number> {
  const items = segments.flatMap((segment, at): Item[] => (at === 0 ? [...segment] : [markOf(at), ...segment]));
  if (kind === 'loop') return from(items).pipeThrough(marks);
  return source<Item>({
    name: 'items',
    open() {
      let next = 0;
      const take = (max: number): Item[] | undefined => {
        const taken = items.slice(next, next + max);
        next += taken.length;
        return taken.length === 0 ? undefined : taken;
      };
      return { read: (max) => (kind === 'later' ? Promise.resolve(take(max)) : take(max)), close() {} };
    },
  }).pipeThrough(marks);
}

const zip = (many: readonly (readonly (readonly number[])[])[]): number[][] =>
  (many[0] ?? []).map((_, at) => many.flatMap((segments) => segments[at] as readonly number[]));

/** Graphs with `count` marks. */
const graphOf = (count: number, markOf: (at: number) => Mark, isLinear: boolean): fc.Arbitrary<Made> =>
  fc.letrec<{ graph: Made }>((tie) => ({
    graph: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .tuple(
          fc.array(fc.array(fc.nat(99), { maxLength: 8 }), { minLength: count + 1, maxLength: count + 1 }),
          fc.constantFrom('loop', 'now', 'later'),
        )
        .map<Made>(([segments, kind]) => ({
          text: `${kind} ${JSON.stringify(segments)}`,
          build: () => sourceOf(segments, kind, markOf),
          segments,
        })),
      fc.tuple(tie('graph'), steps).map<Made>(([before, step]) => ({
        text: `${before.text} → ${step.text}`,
        build: () => step.add(before.build()),
        segments: before.segments.map(step.model),
      })),
      ...(isLinear
        ? []
        : [
            fc.tuple(fc.array(tie('graph'), { minLength: 1, maxLength: 3 }), small).map<Made>(([inputs, mark]) => ({
              text: `merge ${mark} (${inputs.map(({ text }) => text).join(', ')})`,
              build: () => merge(...inputs.map((input) => input.build()), { highWaterMark: mark }),
              segments: zip(inputs.map(({ segments }) => segments)),
            })),
            fc
              .tuple(
                tie('graph'),
                fc.array(fc.array(steps, { maxLength: 2 }), { minLength: 2, maxLength: 3 }),
                fc.integer({ min: 0, max: 3 }),
              )
              .map<Made>(([before, branches, highWaterMark]) => ({
                text: `${before.text} → diamond ${highWaterMark} (${branches.map((branch) => branch.map(({ text }) => text).join(' → ')).join(', ')})`,
                build() {
                  const copies = before.build().broadcast(branches.length, { highWaterMark });
                  return merge(
                    ...branches.map((branch, at) =>
                      branch.reduce<Pipeline<number>>((p, step) => step.add(p), copies[at] as Pipeline<number>),
                    ),
                  );
                },
                segments: zip(
                  branches.map((branch) =>
                    before.segments.map((segment) => branch.reduce((a, step) => step.model(a), segment)),
                  ),
                ),
              })),
            fc
              .tuple(
                tie('graph'),
                steps,
                fc.constantFrom('partition', 'route', 'balance'),
                fc.integer({ min: 0, max: 3 }),
              )
              .map<Made>(([before, step, how, highWaterMark]) => ({
                text: `${before.text} → ${how} ${highWaterMark} (${step.text}, ${step.text})`,
                build() {
                  const numbers = before.build();
                  const isEven = (n: number): boolean => n % 2 === 0;
                  const [one, other] =
                    how === 'balance'
                      ? numbers.balance(2, { highWaterMark })
                      : how === 'partition'
                        ? numbers.partition(isEven, { highWaterMark })
                        : Object.values(numbers.route({ even: isEven, odd: () => true }, { highWaterMark }));
                  return merge(step.add(one as Pipeline<number>), step.add(other as Pipeline<number>));
                },
                segments: before.segments.map(step.model),
              })),
          ]),
    ),
  })).graph;

const inOrder = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const ways: readonly RunOptions[] = [{}, { fuse: false }, { generate: false }, { context: true }];
const seed = Number(process.env['MILLRACE_SEED'] ?? 20261122);
const quiet = { warned: () => {} };

async function segmentsOf(made: Made, isSlow: boolean, options: RunOptions): Promise<number[][]> {
  const out: number[][] = [[]];
  const take = (item: Item): void => {
    if (item instanceof Mark) out.push([]);
    else out.at(-1)?.push(item);
  };
  const run = made
    .build()
    .pipeThrough(seen)
    .run(isSlow ? async (item) => take(item) : take, { ...options, observer: quiet });
  const summary = await run.finished;
  expect([summary.balanced, run.inFlight]).toEqual([true, 0]);
  return out;
}

test('marks never overtake items, and no item overtakes a barrier, in random topologies', async () => {
  const barrier = (at: number): Mark => new Mark('barrier', at);
  const graphs = fc.nat(4).chain((count) => graphOf(count, barrier, false));
  await fc.assert(
    fc.asyncProperty(graphs, fc.boolean(), fc.constantFrom(...ways), async (made, isSlow, options) => {
      const out = await segmentsOf(made, isSlow, options);
      expect(out.map(inOrder)).toEqual(made.segments.map(inOrder));
    }),
    { seed, numRuns: 400 },
  );
});

test.each(['flush', 'watermark'] as const)(
  'marks of kind %s keep their place in every chain of stages',
  async (kind) => {
    const graphs = fc.nat(4).chain((count) => graphOf(count, (at) => new Mark(kind, at), true));
    await fc.assert(
      fc.asyncProperty(graphs, fc.boolean(), fc.constantFrom(...ways), async (made, isSlow, options) => {
        const out = await segmentsOf(made, isSlow, options);
        expect(out.map(inOrder)).toEqual(made.segments.map(inOrder));
      }),
      { seed, numRuns: 150 },
    );
  },
);

test('marks behind a batch that is open are handed on after it', async () => {
  const items: Item[] = [1, 2, new Mark('flush'), 3, 4, 5, 6];
  const sizes: number[] = [];
  await from(items)
    .pipeThrough(marks)
    .pipeThrough(batch({ maxItems: 3 }))
    .run((numbers) => void sizes.push(numbers.length)).finished;
  expect(sizes).toEqual([2, 3, 1]);
});
