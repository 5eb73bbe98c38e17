import type { Case, Side } from '../model.js';
import type { Random } from '../random.js';
import { cut, millraceOn, programOn } from './programs.js';

const INPUTS = 8;

/** Whole numbers, whose sum is the same in any order. */
function drawWhole(items: number, random: Random): number[] {
  return Array.from({ length: items }, () => Math.floor(random() * 1_000));
}

const drawInputs = (items: number, random: Random): number[][] =>
  cut(drawWhole(items, random), Math.ceil(items / INPUTS));

async function* oneByOne(numbers: readonly number[]): AsyncGenerator<number> {
  for (const number of numbers) yield number;
}

function compared(name: string, items: number, millrace: Side, hand: Side): Case {
  return { suite: 'core', name, condition: 'polluted', options: '', metric: 'cpu', items, millrace, against: [hand] };
}

const merge8 = compared(
  'merge-8',
  200_000,
  {
    name: 'Millrace',
    load: () =>
      millraceOn(drawInputs, async () => {
        const { mergedTotal } = await import('../millrace/joins.js');
        return (inputs) => mergedTotal(inputs.map(oneByOne));
      }),
  },
  {
    name: 'hand merge',
    async load() {
      const { mergeEach } = await import('../hand/joins.js');
      return programOn(drawInputs, async (inputs) => {
        let total = 0;
        await mergeEach(inputs.map(oneByOne), (value) => {
          total += value;
        });
        return total;
      });
    },
  },
);

const WAYS: ReadonlyArray<(value: number) => number> = [
  (value) => value * 2,
  (value) => value + 7,
  (value) => value - 3,
  (value) => value >> 1,
];

const broadcast4 = compared(
  'broadcast-4',
  1_000_000,
  {
    name: 'Millrace',
    load: () =>
      millraceOn(drawWhole, async () => {
        const { broadcastTotals } = await import('../millrace/joins.js');
        return (numbers) => broadcastTotals(numbers, WAYS);
      }),
  },
  {
    name: 'hand broadcast',
    async load() {
      const { broadcastEach } = await import('../hand/joins.js');
      return programOn(drawWhole, async (numbers) => {
        const totals = WAYS.map(() => 0);
        const consumers = WAYS.map((way, at) => (value: number): void => {
          (totals[at] as number) += way(value);
        });
        await broadcastEach(numbers, consumers);
        return totals;
      });
    },
  },
);

/** Eight asynchronous sources into one consumer, and one source to four. */
export const JOIN_CASES: readonly Case[] = [merge8, broadcast4];
