import { drawEvents, type Event } from '../events.js';
import type { Case } from '../model.js';
import { cut, millraceOn, programOn } from './programs.js';

type Draw<I> = Parameters<typeof millraceOn<I>>[0];
type Groups = typeof import('../hand/groups.js');
type Millraces = typeof import('../millrace/groups.js');

const millraces = (): Promise<Millraces> => import('../millrace/groups.js');
const hands = (): Promise<Groups> => import('../hand/groups.js');

/** The same work by Millrace and by hand. */
function compared<I>(
  name: string,
  options: string,
  items: number,
  draw: Draw<I>,
  work: (of: Groups | Millraces) => (input: I) => unknown,
): Case {
  return {
    suite: 'core',
    name,
    condition: 'polluted',
    options,
    metric: 'cpu',
    items,
    millrace: { name: 'Millrace', load: () => millraceOn(draw, async () => work(await millraces())) },
    against: [{ name: 'by hand', load: async () => programOn(draw, work(await hands())) }],
  };
}

const drawArrays: Draw<Event[][]> = (items, random) => cut(drawEvents(items, random), 64);

async function* oneAfterTheOther<T>(arrays: readonly T[]): AsyncGenerator<T> {
  for (const array of arrays) yield array;
}

const batches = (by: 'count' | 'bytes' | 'time'): Case =>
  compared(
    'batch',
    `of 500, by ${by}`,
    300_000,
    drawArrays,
    (of) => (arrays) => of.batches(oneAfterTheOther(arrays), by),
  );

const once = (isTimed: boolean): Case =>
  compared(
    'dedupe',
    isTimed ? 'maxKeys, ttlMs' : 'maxKeys',
    300_000,
    drawEvents,
    (of) => (events) => of.once(events, isTimed),
  );

const windows = (kind: 'tumbling' | 'sliding' | 'sessions'): Case =>
  compared('window', kind, 300_000, drawEvents, (of) => of[kind]);

/** Events in batches, without duplicates, and in windows. */
export const GROUP_CASES: readonly Case[] = [
  batches('count'),
  batches('bytes'),
  batches('time'),
  once(false),
  once(true),
  windows('tumbling'),
  windows('sliding'),
  windows('sessions'),
];
