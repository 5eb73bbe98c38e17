import { expect, test } from 'vitest';
import { parseOptions, UsageError } from './options.js';

test('parseOptions() reads every option, with its value behind it or behind an equals sign', () => {
  const none = {
    ...{
      limit: undefined,
      repeat: 1,
      listen: undefined,
      database: undefined,
      slowDatabaseMs: 0,
      port: undefined,
      log: false,
    },
    ...{ json: false, explain: false, help: false },
  };
  expect(parseOptions([])).toEqual(none);
  expect(parseOptions(['--limit', '200000', '--repeat=5'])).toEqual({ ...none, limit: 200_000, repeat: 5 });
  expect(parseOptions(['--json', '--explain', '--help'])).toEqual({ ...none, json: true, explain: true, help: true });
  expect(parseOptions(['--database', 'postgres://a', '--slow-database-ms=50'])).toEqual({
    ...none,
    database: 'postgres://a',
    slowDatabaseMs: 50,
  });
  expect(parseOptions(['--port', '0', '--log'])).toEqual({ ...none, port: 0, log: true });
  expect(parseOptions(['--listen', '--json'])).toEqual({ ...none, listen: 0, json: true });
  expect(parseOptions(['--listen', '8080'])).toEqual({ ...none, listen: 8_080 });
  expect(parseOptions(['--listen=8080', '--port', '0'])).toEqual({ ...none, listen: 8_080, port: 0 });
  expect(parseOptions(['--no-dashboard'])).toEqual(none);
  expect(parseOptions(['--limit', '1', '--limit', '2']).limit).toBe(2);
});

test.each([
  [['--ports', '1'], 'there is no option "--ports"'],
  [['--port', '65536'], '"--port" is "65536"'],
  [['--port=-1'], '"--port" is "-1"'],
  [['--listen', '65536'], '"--listen" is "65536"'],
  [['--listen=any'], '"--listen" is "any"'],
  [['--listen', 'any'], '"any" is not an option'],
  [['--listen', '1', '2'], '"2" is not an option'],
  [['--listen', '--repeat', '2'], '"--repeat" is given with "--listen"'],
  [['--port'], '"--port" has no value'],
  [['--slow-database-ms=x'], '"--slow-database-ms" is "x"'],
  [['--database'], '"--database" has no value'],
  [['--database='], '"--database" has no value'],
  [['--no-limit'], 'there is no option "--no-limit"'],
  [['-x'], 'there is no option "-x"'],
  [['5'], '"5" is not an option'],
  [['--limit'], '"--limit" has no value'],
  [['--limit', '--json'], '"--limit" is "--json"'],
  [['--limit', ''], '"--limit" is ""'],
  [['--limit', '0'], '"--limit" is "0"'],
  [['--limit', '-5'], '"--limit" is "-5"'],
  [['--limit', '1e3'], '"--limit" is "1e3"'],
  [['--repeat=1.5'], '"--repeat" is "1.5"'],
  [['--repeat', '99999999999999999'], '"--repeat" is "99999999999999999"'],
  [['--json=yes'], '"--json" has the value "yes"'],
])('parseOptions() refuses %j, with what was given and what must be', (args, what) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(`Cannot run the demo: ${what} (`);
});
