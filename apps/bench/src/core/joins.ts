import type { KeyWork } from '../hand/partition.js';
import type { Keyed } from '../millrace/joins.js';
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

const ARRAY = 64;
const drawArrays = (items: number, random: Random): number[][][] =>
  drawInputs(items, random).map((input) => cut(input, ARRAY));

async function* oneByOne<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

function compared(name: string, options: string, items: number, millrace: Side, hand: Side): Case {
  return { suite: 'core', name, condition: 'polluted', options, metric: 'cpu', items, millrace, against: [hand] };
}

const merge8 = compared(
  'merge-8',
  'item by item',
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

const merge8OfArrays = compared(
  'merge-8',
  'arrays of 64',
  2_000_000,
  {
    name: 'Millrace',
    load: () =>
      millraceOn(drawArrays, async () => {
        const { mergedTotalOfArrays } = await import('../millrace/joins.js');
        return (inputs) => mergedTotalOfArrays(inputs.map(oneByOne));
      }),
  },
  {
    name: 'hand merge',
    async load() {
      const { mergeEach } = await import('../hand/joins.js');
      return programOn(drawArrays, async (inputs) => {
        let total = 0;
        const add = (value: number): void => {
          total += value;
        };
        await mergeEach(inputs.map(oneByOne), (array) => {
          for (let at = 0; at < array.length; at++) add(array[at] as number);
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
  '',
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

const KEYS = 1_000;

function drawKeyed(items: number, random: Random): Keyed[] {
  return Array.from({ length: items }, () => ({
    key: Math.floor(random() * KEYS),
    value: Math.floor(random() * 1_000),
  }));
}

const partitionBy = compared(
  'partitionBy',
  '1,000 keys',
  1_000_000,
  {
    name: 'Millrace',
    load: () =>
      millraceOn(drawKeyed, async () => {
        const { partitionedTotal } = await import('../millrace/joins.js');
        return (input) => partitionedTotal(input, KEYS);
      }),
  },
  {
    name: 'hand partition',
    async load() {
      const { partitionEach } = await import('../hand/partition.js');
      const double = ({ value }: Keyed): number => value * 2;
      const add = (total: number, value: number): number => total + value;
      const open = (): KeyWork<Keyed, number> => {
        let total = 0;
        return {
          take(item, give) {
            total = add(total, double(item));
            give(total);
          },
          end() {},
        };
      };
      return programOn(drawKeyed, async (input) => {
        let sum = 0;
        await partitionEach(
          input,
          ({ key }) => key,
          KEYS,
          open,
          (total) => {
            sum += total;
          },
        );
        return sum;
      });
    },
  },
);

/** Eight asynchronous sources into one consumer, one source to four, and one to a sub-pipeline for each key. */
export const JOIN_CASES: readonly Case[] = [merge8, merge8OfArrays, broadcast4, partitionBy];
