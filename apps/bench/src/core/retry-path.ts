import type { Policies } from '../millrace/policies.js';
import type { Case, Side } from '../model.js';
import type { Random } from '../random.js';
import { drawReadings } from '../readings.js';
import { drawNumbers, millraceOn } from './programs.js';

type Work<I> = (input: I, policies: Policies) => unknown;

const SKIP: Policies = { onError: 'skip' };
const AGAIN: Policies = { onError: 'skip', retry: { attempts: 3, backoffMs: 10 } };
const LIMITED: Policies = { ...AGAIN, timeoutMs: 1_000 };

const later = async (value: number): Promise<number> => value * 2;
const atOnce = (value: number): number => value * 2;

/** The same pipeline with policies for items on which its functions fail, and without, where nothing fails. */
function compared<I>(
  options: string,
  items: number,
  draw: (items: number, random: Random) => I,
  load: () => Promise<Work<I>>,
  policies: Policies,
): Case {
  const side = (name: string, given: Policies): Side => ({
    name,
    load: () =>
      millraceOn(draw, async () => {
        const work = await load();
        return (input) => work(input, given);
      }),
  });
  return {
    suite: 'core',
    name: 'retry-path',
    condition: 'polluted',
    options,
    metric: 'cpu',
    items,
    millrace: side('Millrace', policies),
    against: [side('without policies', {})],
  };
}

const programs = () => import('../millrace/policies.js');
const one = (fn: (value: number) => number | Promise<number>) => async (): Promise<Work<readonly number[]>> => {
  const { oneByOne } = await programs();
  return (numbers, policies) => oneByOne(numbers, fn, policies);
};
const hundred = async (): Promise<Work<readonly number[]>> => {
  const { mapConcurrently } = await programs();
  return (numbers, policies) => mapConcurrently(numbers, later, policies);
};

/** What policies cost while nothing fails. */
export const RETRY_PATH: readonly Case[] = [
  compared('4 steps, onError', 300_000, drawReadings, async () => (await programs()).steps, SKIP),
  compared('mapAsync, retry', 100_000, drawNumbers, one(later), AGAIN),
  compared('mapAsync, retry, answer at once', 100_000, drawNumbers, one(atOnce), AGAIN),
  compared('mapAsync, retry and timeoutMs', 100_000, drawNumbers, one(later), LIMITED),
  compared('mapAsync, 100 at once, retry', 100_000, drawNumbers, hundred, AGAIN),
  compared('mapAsync, 100 at once, retry and timeoutMs', 100_000, drawNumbers, hundred, LIMITED),
];
