import type { Place } from './great-circle.js';
import { zoneOf } from './zone-of.js';

/** An airport, as the demo's table has it. */
export interface Airport extends Place {
  /** IATA or local code, unique. */
  readonly code: string;
  readonly name: string;
  readonly city: string;
  /** Two letters in the United States; elsewhere the name of the country. */
  readonly state: string;
  /** IANA name of its time zone. */
  readonly zone: string;
}

const HEADER = 'iata,name,city,state,country,latitude,longitude';

// SPEC: RFC 4180, section 2. One field and what ends it; a quoted field may hold commas, line ends and doubled quotes.
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/**
 * Reads the airports from the text of `airports.csv` of vega-datasets, by code.
 *
 * @param csv - The whole file: a header `iata,name,city,state,country,latitude,longitude`, then a line for each airport.
 * @param codes - Reads only these, which saves looking up 3,000 time zones. Default: all.
 * @throws SyntaxError when the text is not that file: another header, a broken quote, a missing or impossible field.
 */
export function parseAirports(csv: string, codes?: ReadonlySet<string>): Map<string, Airport> {
  const airports = new Map<string, Airport>();
  let line = 0;
  for (const fields of csvRows(csv)) {
    line += 1;
    if (line === 1) {
      if (fields.join(',') !== HEADER) throw malformed(line, `its header is "${fields.join(',')}"`, `"${HEADER}"`);
      continue;
    }
    const airport = airportOf(fields, line, codes);
    if (airport === undefined) continue;
    if (airports.has(airport.code)) throw malformed(line, `"${airport.code}" comes twice`, 'codes are unique');
    airports.set(airport.code, airport);
  }
  if (line === 0) throw malformed(line, 'it is empty', `a header "${HEADER}"`);
  return airports;
}

function airportOf(
  fields: readonly string[],
  line: number,
  codes: ReadonlySet<string> | undefined,
): Airport | undefined {
  const [code = '', name = '', city = '', state = '', country = '', north = '', east = ''] = fields;
  if (fields.length !== 7 || code === '') throw malformed(line, `it has ${fields.length} fields`, '7, a code first');
  if (codes !== undefined && !codes.has(code)) return undefined;
  const latitude = north === '' ? Number.NaN : Number(north);
  const longitude = east === '' ? Number.NaN : Number(east);
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
    throw malformed(line, `"${code}" is at "${north}", "${east}"`, 'degrees from −90 to 90 and −180 to 180');
  }
  const zone = zoneOf(code, { latitude, longitude });
  return { code, name, city, state: state === 'NA' ? country : state, latitude, longitude, zone };
}

function* csvRows(csv: string): Generator<string[]> {
  let row: string[] = [];
  let at = 0;
  while (at < csv.length) {
    FIELD.lastIndex = at;
    const [match, quoted, plain = '', end] = FIELD.exec(csv) ?? [];
    if (match === undefined) throw new SyntaxError(`Cannot read CSV: a quote is out of place near character ${at}`);
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    at += match.length;
    if (end === ',' && at < csv.length) continue;
    if (end === ',') row.push('');
    yield row;
    row = [];
  }
}

function malformed(line: number, what: string, must: string): SyntaxError {
  return new SyntaxError(`Cannot read airports: in line ${line} ${what} (${must})`);
}
