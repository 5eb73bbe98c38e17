import { expect, test } from 'vitest';
import { copiesText } from './copies-text.js';

test('copies.gen.ts is what copies-text.ts writes', async () => {
  await expect(copiesText()).toMatchFileSnapshot('copies.gen.ts');
});
