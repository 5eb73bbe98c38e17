import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { reasonOf, same } from './check.js';
import { CHECKS } from './checks/all.js';
import { runChecks } from './run-checks.js';
import { failuresOf, matrixTable, type Tried } from './table.js';

// `pnpm matrix` runs the checks on the packed packages and on every runtime; here they run on the sources.

describe('CHECKS', () => {
  it.each(CHECKS.map((check) => [check.name, check] as const))('CHECKS: %s', async (_, { run }) => {
    await run();
  });
});

describe('runChecks()', () => {
  it('runChecks() reports a check that throws, one that rejects and one that hangs, and goes on', async () => {
    const fail = (): never => {
      throw new Error('thrown');
    };
    const results = await runChecks(
      [
        { name: 'throws', run: fail },
        { name: 'rejects', run: async () => fail() },
        { name: 'hangs', run: () => new Promise(() => {}) },
        { name: 'is well', run: () => {} },
      ],
      1,
    );
    assert.deepEqual(
      results.map(({ name, problem }) => [name, problem !== undefined]),
      [
        ['throws', true],
        ['rejects', true],
        ['hangs', true],
        ['is well', false],
      ],
    );
  });
});

describe('same() and reasonOf()', () => {
  it('same() throws what differs', () => {
    same([1, [2]], [1, [2]]);
    assert.throws(() => same([1], [2]), /^Error: Cannot accept the result: it is \[1\] \(must be \[2\]\)$/);
  });

  it('reasonOf() throws where a promise is fulfilled', async () => {
    assert.equal(await reasonOf(Promise.reject('why')), 'why');
    await assert.rejects(reasonOf(Promise.resolve(7)), /it is 7 \(must be a rejection\)/);
  });
});

describe('matrixTable()', () => {
  const all: Tried[] = [
    { name: 'node24', report: { runtime: 'node 24.1.0', results: [{ name: 'adds' }, { name: 'ends' }] } },
    { name: 'bun', report: { runtime: 'bun 1.4.5', results: [{ name: 'adds' }, { name: 'ends', problem: 'hung' }] } },
    { name: 'deno', problem: 'it crashed' },
  ];

  it('matrixTable() shows check by runtime, and below it what failed', () => {
    assert.deepEqual(matrixTable(all).split('\n'), [
      'check  node 24.1.0  bun 1.4.5  deno',
      'adds   ✓            ✓',
      'ends   ✓            ✗',
      '',
      'FAIL  bun: ends',
      'hung',
      '',
      'FAIL  deno',
      'it crashed',
    ]);
    assert.equal(failuresOf(all).length, 2);
  });
});
