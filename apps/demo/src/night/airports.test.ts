import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseAirports } from './airports.js';

const HEADER = 'iata,name,city,state,country,latitude,longitude\n';
const FILE = new URL('../data/airports.csv', import.meta.resolve('vega-datasets'));

test('parseAirports() reads the whole file, with quotes, commas and countries', async () => {
  const airports = parseAirports(await readFile(FILE, 'utf8'));
  expect(airports.size).toBe(3_376);
  expect(airports.get('DBN')?.name).toBe('W. H. "Bud" Barron');
  expect(airports.get('PUW')).toEqual({
    code: 'PUW',
    name: 'Pullman/Moscow Regional',
    city: 'Pullman/Moscow,ID',
    state: 'WA',
    latitude: 46.74386111,
    longitude: -117.1095833,
    zone: 'America/Los_Angeles',
  });
  expect(airports.get('YAP')?.state).toBe('Federated States of Micronesia');
});

test('parseAirports() reads only the codes asked for', async () => {
  const airports = parseAirports(await readFile(FILE, 'utf8'), new Set(['HNL', 'XXX']));
  expect([...airports.keys()]).toEqual(['HNL']);
});

test('parseAirports() takes a last line without its end, and CRLF', () => {
  const line = 'ABC,"a, ""b""\nc",d,TX,USA,30,-95';
  for (const csv of [HEADER + line, `${HEADER}${line}\n`.replaceAll(/(?<!b"")\n(?!c)/g, '\r\n')]) {
    expect(parseAirports(csv).get('ABC')?.name).toBe('a, "b"\nc');
  }
});

test('parseAirports() refuses a text that is not that file, naming the line', () => {
  const bad: [string, RegExp][] = [
    ['', /it is empty/],
    ['code,name\n', /in line 1 its header is/],
    [`${HEADER}ABC,name,city,TX,USA,30\n`, /in line 2 it has 6 fields/],
    [`${HEADER}ABC,name,city,TX,USA,30,-95,\n`, /in line 2 it has 8 fields/],
    [`${HEADER}ABC,name,city,TX,USA,,-95\n`, /in line 2 "ABC" is at "", "-95"/],
    [`${HEADER}ABC,name,city,TX,USA,95,-95\n`, /in line 2 "ABC" is at "95"/],
    [`${HEADER}ABC,na"me,city,TX,USA,30,-95\n`, /a quote is out of place/],
    [`${HEADER}ABC,"name,city,TX,USA,30,-95\n`, /a quote is out of place/],
    [`${HEADER}ABC,n,c,TX,USA,30,-95\nABC,n,c,TX,USA,30,-95\n`, /in line 3 "ABC" comes twice/],
  ];
  for (const [csv, message] of bad) {
    expect(() => parseAirports(csv)).toThrow(SyntaxError);
    expect(() => parseAirports(csv)).toThrow(message);
  }
});
