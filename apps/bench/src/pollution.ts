// What makes a run "polluted": 24 other pipelines, of different functions, shapes and lengths, that go through the same
// library code before the measured one, as they would in an application.

/** A step of a pipeline that a library is to build from its own parts. */
export type MixedStep =
  | { readonly kind: 'map'; readonly fn: (item: never) => unknown }
  | { readonly kind: 'filter'; readonly fn: (item: never) => boolean }
  | { readonly kind: 'take'; readonly count: number };

/** One other pipeline: what goes in, and the steps it goes through; the items that come out are counted. */
export interface Mixed {
  readonly items: readonly unknown[];
  readonly steps: readonly MixedStep[];
}

const ITEMS = 2000;
const ROUNDS = 3;

const map = <I>(fn: (item: I) => unknown): MixedStep => ({ kind: 'map', fn: fn as (item: never) => unknown });
const filter = <I>(fn: (item: I) => boolean): MixedStep => ({ kind: 'filter', fn: fn as (item: never) => boolean });
const take = (count: number): MixedStep => ({ kind: 'take', count });
const items = (make: (index: number) => unknown): unknown[] => Array.from({ length: ITEMS }, (_, index) => make(index));

const numbers = items((n) => n);
const fractions = items((n) => n / 3);
const words = items((n) => `word ${n}`);
const points = items((n) => ({ x: n, y: -n }));
const users = items((n) => ({ name: `user ${n}`, age: n % 90, isAdmin: n % 10 === 0 }));
const pairs = items((n) => [n, n * n]);
const orders = items((n) => ({ order: n, lines: [n, n + 1], total: n * 1.5, paid: n % 3 === 0, note: null }));
const mixed = items((n) => (n % 2 === 0 ? n : `${n}`));

/** The other pipelines. */
export const MIX: readonly Mixed[] = [
  { items: numbers, steps: [map((n: number) => n + 1)] },
  { items: numbers, steps: [filter((n: number) => n % 2 === 0), map((n: number) => n * 3)] },
  { items: fractions, steps: [map((n: number) => n * 2), map((n: number) => n - 1), map((n: number) => n / 7)] },
  { items: fractions, steps: [filter((n: number) => n > 5), filter((n: number) => n < 500)] },
  { items: words, steps: [map((s: string) => s.length)] },
  { items: words, steps: [filter((s: string) => s.endsWith('7')), map((s: string) => s.toUpperCase())] },
  { items: words, steps: [map((s: string) => s.slice(2)), filter((s: string) => s !== ''), take(900)] },
  { items: points, steps: [map((p: { x: number; y: number }) => p.x + p.y)] },
  { items: points, steps: [filter((p: { x: number }) => p.x > 50), map((p: { x: number }) => ({ left: p.x }))] },
  {
    items: points,
    steps: [take(1200), map((p: { y: number }) => ({ y: p.y, top: 0 })), map((p: { y: number }) => p.y)],
  },
  { items: users, steps: [filter((u: { isAdmin: boolean }) => u.isAdmin), map((u: { name: string }) => u.name)] },
  {
    items: users,
    steps: [map((u: { age: number }) => ({ ...u, age: u.age + 1 })), filter((u: { age: number }) => u.age > 17)],
  },
  { items: pairs, steps: [map(([a, b]: [number, number]) => a + b), filter((n: number) => n % 5 !== 0)] },
  { items: pairs, steps: [map(([a]: [number]) => ({ key: a })), map((o: { key: number }) => o.key), map(String)] },
  { items: orders, steps: [filter((o: { paid: boolean }) => !o.paid), map((o: { total: number }) => o.total)] },
  { items: orders, steps: [map((o: { lines: number[] }) => o.lines.length), filter((n: number) => n > 1), take(1500)] },
  { items: mixed, steps: [map((v: number | string) => typeof v), filter((v: string) => v === 'number')] },
  { items: mixed, steps: [map(Number), filter(Number.isInteger), map((n: number) => n >> 1)] },
  {
    items: numbers,
    steps: [
      filter((n: number) => n > 10),
      map((n: number) => ({ n })),
      map((o: { n: number }) => ({ ...o, square: o.n * o.n })),
      filter((o: { square: number }) => o.square % 3 !== 1),
      map((o: { square: number }) => o.square),
    ],
  },
  {
    items: words,
    steps: [
      map((s: string) => s.split(' ')),
      map((parts: string[]) => parts[1]),
      map(Number),
      filter((n: number) => n % 4 !== 0),
      map((n: number) => [n]),
      filter((list: number[]) => list.length > 0),
    ],
  },
  {
    items: users,
    steps: [
      map((u: { name: string; age: number }) => ({ title: u.name, decade: Math.floor(u.age / 10) })),
      filter((u: { decade: number }) => u.decade > 0),
      map((u: { title: string; decade: number }) => ({ title: u.title, decade: u.decade, isOld: u.decade > 5 })),
      filter((u: { isOld: boolean }) => !u.isOld),
      map((u: { title: string }) => u.title),
      map((title: string) => title.length),
      take(1000),
    ],
  },
  {
    items: orders,
    steps: [
      map((o: { total: number; paid: boolean }) => ({ total: o.total, due: o.paid ? 0 : o.total })),
      map((o: { total: number; due: number }) => ({ total: o.total, due: o.due, rate: o.due / (o.total + 1) })),
      filter((o: { rate: number }) => o.rate > 0.1),
      map((o: { due: number }) => o.due),
      filter((due: number) => due < 2500),
      map((due: number) => Math.round(due)),
      filter((due: number) => due % 2 === 0),
      map((due: number) => ({ due })),
    ],
  },
  {
    items: points,
    steps: [
      map((p: { x: number; y: number }) => ({ x: p.y, y: p.x })),
      map((p: { x: number; y: number }) => ({ x: p.x, y: p.y, z: 0 })),
      filter((p: { y: number }) => p.y % 2 === 1),
      map((p: { x: number; y: number; z: number }) => [p.x, p.y, p.z]),
      filter((p: number[]) => p.length === 3),
      map((p: number[]) => p[1]),
      map((n: number) => -n),
      filter((n: number) => n < 0),
      map((n: number) => ({ n, negative: true })),
    ],
  },
  { items: fractions, steps: [map(Math.floor), filter((n: number) => n > 0), map((n: number) => 1 / n), take(1800)] },
];

/** Runs the other pipelines through a library, several times each. */
export async function polluteWith(run: (pipeline: Mixed) => unknown): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const pipeline of MIX) await run(pipeline);
  }
}
