import { whenMyTurn } from '@millrace/core/authoring';
import { expect, test } from 'vitest';

/** Resolves behind all that waits for its turn now. */
const turn = (): Promise<void> => new Promise((resolve) => whenMyTurn(() => resolve()));

test('whenMyTurn() calls whoever asks twice once, and again when it asks again', async () => {
  let called = 0;
  const goOn = (): void => void called++;
  whenMyTurn(goOn);
  whenMyTurn(goOn);
  await turn();
  await turn();
  expect(called).toBe(1);
  whenMyTurn(goOn);
  await turn();
  expect(called).toBe(2);
});

test('whenMyTurn() calls those that wait in the order in which they asked, and who asks meanwhile behind them', async () => {
  const order: string[] = [];
  whenMyTurn(() => {
    order.push('a');
    whenMyTurn(() => order.push('c'));
  });
  whenMyTurn(() => order.push('b'));
  await turn();
  await turn();
  expect(order).toEqual(['a', 'b', 'c']);
});
