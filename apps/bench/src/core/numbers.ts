import type { RunOptions } from '@millrace/core';
import type { Case, Side } from '../model.js';
import { drawNumbers, millraceOn, programOn } from './programs.js';

const NUMBERS = 10_000_000;
const FEWER_NUMBERS = 2_000_000;

interface Numbers {
  collect(numbers: readonly number[], options: RunOptions): unknown;
  collectInto(numbers: readonly number[], out: Float64Array, options: RunOptions): unknown;
  sum(numbers: readonly number[], options: RunOptions): unknown;
  mapReduce(numbers: readonly number[], options: RunOptions): unknown;
}

type Work = 'collect' | 'sum' | 'mapReduce';

const millraces = (): Promise<Numbers> => import('../millrace/numbers.js');
const hands = (): Promise<Numbers> => import('../hand/numbers.js');

function compared(name: string, work: Work, items: number, how: RunOptions = {}): Case {
  const millrace: Side = {
    name: 'Millrace',
    load: () =>
      millraceOn(
        drawNumbers,
        async () => {
          const numbers = await millraces();
          return (input) => numbers[work](input, how);
        },
        how,
      ),
  };
  const hand: Side = {
    name: 'hand loop',
    async load() {
      const numbers = await hands();
      return programOn(drawNumbers, (input) => numbers[work](input, how));
    },
  };
  const options = Object.entries(how)
    .map(([option, value]) => `${option}: ${value}`)
    .join(', ');
  return { suite: 'core', name, condition: 'polluted', options, metric: 'cpu', items, millrace, against: [hand] };
}

interface Filled {
  readonly numbers: number[];
  readonly out: Float64Array;
}

/** The results fill an array that is used again; what counts as result is the array. */
function collectInto(): Case {
  const draw = (items: number, random: () => number): Filled => ({
    numbers: drawNumbers(items, random),
    out: new Float64Array(items),
  });
  const filling = (load: () => Promise<Numbers>) => async (): Promise<(input: Filled) => unknown> => {
    const numbers = await load();
    return async (input) => {
      await numbers.collectInto(input.numbers, input.out, {});
      return input.out;
    };
  };
  return {
    suite: 'core',
    name: 'collect-into',
    condition: 'polluted',
    options: '',
    metric: 'cpu',
    items: NUMBERS,
    millrace: { name: 'Millrace', load: () => millraceOn(draw, filling(millraces)) },
    against: [{ name: 'hand loop', load: async () => programOn(draw, await filling(hands)()) }],
  };
}

/** Numbers from an array, filtered and converted, collected or added up. */
export const NUMBER_CASES: readonly Case[] = [
  compared('map-reduce', 'mapReduce', FEWER_NUMBERS),
  compared('map-reduce', 'mapReduce', FEWER_NUMBERS, { generate: false }),
  compared('sum', 'sum', NUMBERS),
  compared('collect', 'collect', NUMBERS),
  collectInto(),
];
