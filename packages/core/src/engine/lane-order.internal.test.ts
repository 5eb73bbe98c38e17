import { expect, test } from 'vitest';
import { LaneOrder } from './lane-order.js';

interface Lane {
  readonly name: number;
  usedAt: number;
}

/** Numbers that look like any, the same ones each time. */
function randomBelow(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each([
  { most: 3, seed: 1 },
  { most: 50, seed: 2 },
  { most: 3_000, seed: 3 },
])('LaneOrder takes the one of $most that was used least recently, each time', ({ most, seed }) => {
  const random = randomBelow(seed);
  const order = new LaneOrder<Lane>();
  // A map keeps the order in which its keys were set: the model.
  const model = new Map<number, Lane>();
  const lanes = new Map<number, Lane>();
  for (let round = 0; round < 20 * most; round++) {
    const name = random(2 * most);
    let lane = model.get(name);
    if (lane === undefined && model.size === most) {
      const [oldest] = model.values();
      const taken = order.takeOldest(() => lanes.values());
      expect(taken).toBe(oldest);
      model.delete(taken.name);
      lanes.delete(taken.name);
    }
    lane ??= { name, usedAt: 0 };
    model.delete(name);
    model.set(name, lane);
    lanes.set(name, lane);
    order.use(lane);
  }
});

test('LaneOrder of more lanes than it sorts at a time gives all of them in their order', () => {
  const order = new LaneOrder<Lane>();
  const lanes = Array.from({ length: 5_000 }, (_, name) => ({ name, usedAt: 0 }));
  // The last one first, so that each one looked at was used less recently than those before.
  for (const lane of [...lanes].reverse()) order.use(lane);
  const left = new Set<Lane>(lanes);
  for (let name = lanes.length - 1; name >= 0; name--) {
    const taken = order.takeOldest(() => left);
    left.delete(taken);
    expect(taken.name).toBe(name);
  }
});
