import { dedupeConsecutive, distinctUntilChanged } from '@millrace/core';
import { expect, test } from 'vitest';

test('distinctUntilChanged() is dedupeConsecutive()', () => {
  expect(distinctUntilChanged).toBe(dedupeConsecutive);
});
