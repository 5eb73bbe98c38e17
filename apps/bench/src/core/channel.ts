import type { Case, Side } from '../model.js';
import { drawNumbers, millraceOn, programOn } from './programs.js';

const NUMBERS = 300_000;
/** The native stream needs microseconds for an item. */
const FEWER_NUMBERS = 30_000;

function channelOf(capacity: number): Case {
  const millrace: Side = {
    name: 'Millrace',
    load: () =>
      millraceOn(drawNumbers, async () => {
        const { throughChannel } = await import('../millrace/channel.js');
        return (numbers) => throughChannel(numbers, capacity);
      }),
  };
  const awaiting: Side = {
    name: 'awaiting each send',
    load: () =>
      millraceOn(drawNumbers, async () => {
        const { awaitingEach } = await import('../millrace/channel.js');
        return (numbers) => awaitingEach(numbers, capacity);
      }),
  };
  const native: Side = {
    name: 'native TransformStream',
    items: FEWER_NUMBERS,
    async load() {
      const { throughTransform } = await import('../peers/native-channel.js');
      return programOn(drawNumbers, (numbers) => throughTransform(numbers, capacity));
    },
  };
  return {
    suite: 'core',
    name: 'channel',
    condition: 'polluted',
    options: `capacity ${capacity}`,
    metric: 'cpu',
    items: NUMBERS,
    millrace,
    against: [awaiting, native],
  };
}

/** From one task to another in the same thread. */
export const CHANNEL_CASES: readonly Case[] = [channelOf(50), channelOf(1024)];
