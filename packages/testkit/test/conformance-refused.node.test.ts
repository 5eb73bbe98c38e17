import { map } from '@millrace/core';
import { conform } from '@millrace/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { BROKEN, litter } from './broken-stages.js';

afterAll(() => {
  for (const letGo of litter) letGo();
});

test('conform() has a broken stage for every law', async () => {
  const { laws } = await conform((user) => map(user((n: number) => n)));
  expect(Object.keys(BROKEN)).toEqual(laws.map(({ name }) => name));
});

const broken = Object.entries(BROKEN).map(([law, [what, why, factory]]) => ({ law, what, why, factory }));

describe('conform() refuses a stage that', () => {
  test.for(broken)('$what: $law', async ({ law, what, why, factory }, { task }) => {
    const { laws, passed } = await conform(factory, { only: [law], timeoutMs: 200 });
    Object.assign(task.meta, { law, refused: what });
    expect(laws).toEqual([{ name: law, passed: false, why: expect.stringContaining(why) }]);
    expect(passed).toBe(false);
  });
});
