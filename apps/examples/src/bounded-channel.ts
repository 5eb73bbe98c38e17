import { type Clock, channel, systemClock } from '@millrace/core';
import { show } from './show.js';

// Technique 4, a bounded channel: the producer makes an item every 50 ms, the consumer takes 100 ms for each. Where
// `capacity` items wait, `send()` gives a promise, and the fast side goes at the pace of the slow one.

export interface Flow {
  readonly produced: number;
  readonly consumed: number;
  /** The most items that waited in the channel at a time. */
  readonly mostWaiting: number;
}

export async function flow(items: number, capacity: number, clock: Clock = systemClock): Promise<Flow> {
  const { sender, receiver } = channel<number>(capacity);
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  const taken: number[] = [];
  let [produced, mostWaiting] = [0, 0];
  async function consume(): Promise<void> {
    for await (const item of receiver) {
      taken.push(item);
      await pause(100);
    }
  }
  const consuming = consume();
  while (produced < items) {
    await pause(50);
    mostWaiting = Math.max(mostWaiting, produced - taken.length);
    await sender.send(produced++);
  }
  sender.close();
  await consuming;
  return { produced, consumed: taken.length, mostWaiting };
}

await show(import.meta.url, () => flow(100, 50));
