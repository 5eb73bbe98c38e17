import assert from 'node:assert/strict';
import { range } from '@millrace/core';
import { describe, it } from 'vitest';
import { parseArguments } from './arguments.js';
import { compare } from './compare.js';
import { digest } from './digest.js';
import { measure, median } from './measure.js';
import { EVERY_STAGE, type StageProgram } from './millrace/every-stage.js';
import { type Case, type Figure, hasSides, type Job, type Program, type Row, type Side } from './model.js';
import { MIX } from './pollution.js';
import { randomOf } from './random.js';
import { drawReadings } from './readings.js';
import { jsonLine } from './report.js';
import { select } from './select.js';
import { CASES } from './suites.js';
import { UsageError } from './usage-error.js';

const side = (name: string, items?: number): Side => ({
  name,
  ...(items !== undefined && { items }),
  load: () => Promise.reject(new Error('the test runs no process')),
});

const CASE: Case = {
  suite: 'core',
  name: 'made-up',
  condition: 'polluted',
  options: '4 steps',
  metric: 'cpu',
  items: 1000,
  millrace: side('Millrace'),
  against: [side('slow'), side('fast'), side('very slow', 10)],
};

/** Answers each job with the next of its side's costs. */
function costing(costs: Readonly<Record<string, number[]>>, jobs: Job[] = []): (job: Job) => Promise<Figure> {
  return async (job) => {
    jobs.push(job);
    const cost = costs[`${job.side} ${job.items}`]?.shift();
    assert.ok(cost !== undefined, `no cost left for ${job.side} over ${job.items}`);
    return { cost, digest: 'same', runtime: 'node 20.20.2' };
  };
}

describe('compare()', () => {
  it('compare() lets the sides take turns and gives the median, least and greatest ratio of the pairs', async () => {
    const jobs: Job[] = [];
    const rows = await compare(
      CASE,
      3,
      7,
      costing(
        {
          'Millrace 1000': [10, 20, 10],
          'slow 1000': [30, 40, 50],
          'fast 1000': [5, 5, 5],
          'Millrace 10': [1, 1, 2],
          'very slow 10': [100, 300, 400],
        },
        jobs,
      ),
    );
    assert.deepEqual(
      rows.map(({ against, speed, low, high }) => [against, speed, low, high]),
      [
        ['slow', 3, 2, 5],
        ['fast', 0.5, 0.25, 0.5],
        ['very slow', 200, 100, 300],
      ],
    );
    const round = ['Millrace', 'slow', 'fast', 'Millrace', 'very slow'];
    assert.deepEqual(
      jobs.map((job) => job.side),
      [...round, ...round, ...round],
    );
    assert.ok(jobs.every(({ seed }) => seed === 7));
  });

  it('compare() refuses sides whose results differ', async () => {
    const run = async ({ side: name }: Job): Promise<Figure> => ({ cost: 1, digest: name, runtime: 'node' });
    await assert.rejects(compare(CASE, 1, 1, run), /Cannot compare with slow: its result is slow \(must be Millrace\)/);
  });

  it('compare() leaves out a side that the runtime has not got', async () => {
    const run = async ({ side: name }: Job): Promise<Figure | undefined> =>
      name === 'fast' ? undefined : { cost: 1, digest: '', runtime: 'node' };
    const rows = await compare(CASE, 2, 1, run);
    assert.deepEqual(
      rows.map(({ against }) => against),
      ['slow', 'very slow'],
    );
  });

  it("compare() gives Millrace's own figure where there is nothing to compare with", async () => {
    const own: Case = { ...CASE, metric: 'ms', against: [] };
    const [row, ...others] = await compare(own, 3, 1, costing({ 'Millrace 1000': [3, 1, 2] }));
    assert.equal(others.length, 0);
    assert.deepEqual([row?.speed, row?.value, row?.low, row?.high, row?.metric], [null, 2, 1, 3, 'ms']);
  });
});

describe('measure()', () => {
  const program = (results: unknown[]): Program => ({
    prepare: () => () => (results.length > 1 ? results.shift() : results[0]),
  });

  it('measure() gives a cost and the digest of the result', async () => {
    const figure = await measure(program([42]), CASE, 1, 1);
    assert.ok(figure.cost >= 0);
    assert.equal(figure.digest, digest(42));
    assert.match(figure.runtime, /^node \d+/);
  });

  it('measure() pollutes before it measures a polluted case, and not a clean one', async () => {
    const calls: string[] = [];
    const noting: Program = { pollute: () => calls.push('pollute'), prepare: () => () => calls.push('run') && 0 };
    await measure(noting, CASE, 1, 1);
    assert.equal(calls[0], 'pollute');
    assert.equal(calls.filter((call) => call === 'pollute').length, 1);
    calls.length = 0;
    await measure(noting, { ...CASE, condition: 'clean' }, 1, 1);
    assert.ok(!calls.includes('pollute'));
  });

  it('measure() refuses a program whose last result is not its first', async () => {
    await assert.rejects(measure(program([1, 2]), CASE, 1, 1), /Cannot compare: the program's first result/);
  });

  it('median() gives the middle, or the mean of the two in the middle', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 2, 9]), 3);
  });
});

describe('jsonLine()', () => {
  const row: Row = {
    suite: 'core',
    case: 'sync-fused',
    condition: 'polluted',
    against: 'hand loop',
    speed: 0.85234,
    low: 0.82,
    high: 0.88,
    metric: 'cpu',
    runs: 9,
    runtime: 'node 20.20.2',
    options: '',
  };

  it('jsonLine() writes the fields that COMMANDS names, in their order', () => {
    assert.equal(
      jsonLine(row),
      '{"suite":"core","case":"sync-fused","condition":"polluted","against":"hand loop","speed":0.852,"low":0.82,' +
        '"high":0.88,"metric":"cpu","runs":9,"runtime":"node 20.20.2","options":""}',
    );
  });

  it('jsonLine() adds the value where a ratio says nothing', () => {
    const { speed, value } = JSON.parse(jsonLine({ ...row, speed: null, value: 12.34 })) as Row;
    assert.equal(speed, null);
    assert.equal(value, 12.3);
  });
});

describe('the command line', () => {
  it('select() refuses an unknown suite and an unknown case by name', () => {
    assert.throws(
      () => select(CASES, ['cor']),
      new UsageError("Cannot run suite 'cor': it is unknown (must be one of core, demo, linear)"),
    );
    assert.throws(() => select(CASES, ['core/sync']), /^UsageError: Cannot run case 'core\/sync': it is unknown/);
  });

  it('select() gives all cases, those of a suite, or those of a name', () => {
    assert.equal(select(CASES, []).length, CASES.length);
    assert.ok(select(CASES, ['core']).every(({ suite }) => suite === 'core'));
    assert.deepEqual(
      [...new Set(select(CASES, ['core/collect', 'core/sum']).map(({ name }) => name))],
      ['sum', 'collect'],
    );
  });

  it('parseArguments() reads every option', () => {
    assert.deepEqual(parseArguments(['core', '--json', 'out/x.jsonl', '--seed=9', '--runs', '3', '--list'], ['core']), {
      selectors: ['core'],
      isList: true,
      json: { file: 'out/x.jsonl' },
      runtime: 'node',
      seed: 9,
      runs: 3,
    });
  });

  it('parseArguments() takes neither a suite nor a case for the file of --json', () => {
    for (const selector of ['core', 'core/sum']) {
      const { json, selectors } = parseArguments(['--json', selector], ['core']);
      assert.deepEqual([json, selectors], [{ file: undefined }, [selector]]);
    }
  });

  it('parseArguments() refuses unknown options and wrong values by name', () => {
    assert.throws(() => parseArguments(['--fast'], []), /unknown option '--fast' \(must be one of --list, /);
    assert.throws(
      () => parseArguments(['--runs', '0'], []),
      /option '--runs': it is '0' \(must be a whole number of 1/,
    );
    assert.throws(() => parseArguments(['--seed'], []), /option '--seed': its value is missing/);
  });
});

describe('the suites', () => {
  it('the suites name every comparison once', () => {
    const keys = CASES.map(({ suite, name, condition, options }) => `${suite}/${name} ${condition} ${options}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('drawReadings() gives the same for a seed, and other shapes for other seeds', () => {
    const shape = (seed: number): string => Object.keys(drawReadings(1, randomOf(seed))[0] ?? {}).join();
    assert.deepEqual(drawReadings(5, randomOf(3)), drawReadings(5, randomOf(3)));
    assert.ok(new Set([1, 2, 3, 4, 5].map(shape)).size > 1);
  });

  it('MIX pollutes with at least 20 pipelines of different functions and of several lengths', () => {
    const functions = MIX.flatMap(({ steps }) => steps.map((step) => (step.kind === 'take' ? {} : step.fn)));
    assert.ok(MIX.length >= 20);
    assert.ok(new Set(functions).size > functions.length - 5);
    assert.ok(new Set(MIX.map(({ steps }) => steps.length)).size >= 6);
  });

  // What is minified needs the built packages; the test on those in core looks at its results.
  const comparable = CASES.filter(hasSides).filter(
    ({ metric, options }) => metric === 'cpu' && !options.includes('minified'),
  );
  it.each(comparable.map((each) => [`${each.suite}/${each.name} ${each.condition} ${each.options}`, each] as const))(
    '%s gives one result on all sides',
    async (_, of) => {
      const results = new Map<string, string>();
      for (const each of [of.millrace, ...of.against]) {
        const program = await each.load();
        if (program === undefined) continue;
        results.set(each.name, digest(await program.prepare(1300, randomOf(11))()));
      }
      assert.equal(new Set(results.values()).size, 1, JSON.stringify([...results]));
    },
  );
});

describe('linear', () => {
  it.each(Object.keys(EVERY_STAGE))('%s ends, and has given items', async (stage) => {
    const program = EVERY_STAGE[stage] as StageProgram;
    const run = program((count) => range(0, count), 1_200).run(() => {}, { observer: { warned: () => {} } });
    const { emitted, balanced } = await run.finished;
    assert.ok(emitted > 0);
    assert.ok(balanced);
  });
});
