import { channel } from '@millrace/core';

const add = (total: number, value: number): number => total + value;

/** Numbers from one task to another through a channel of so many; the producer waits only where it is told to. */
export async function throughChannel(numbers: readonly number[], capacity: number): Promise<number> {
  const { sender, receiver } = channel<number>(capacity);
  const total = receiver.reduce(add, 0);
  for (const number of numbers) {
    const room = sender.send(number);
    if (room !== undefined) await room;
  }
  sender.close();
  return total;
}

/** The same, where the producer awaits each send. */
export async function awaitingEach(numbers: readonly number[], capacity: number): Promise<number> {
  const { sender, receiver } = channel<number>(capacity);
  const total = receiver.reduce(add, 0);
  for (const number of numbers) await sender.send(number);
  sender.close();
  return total;
}
