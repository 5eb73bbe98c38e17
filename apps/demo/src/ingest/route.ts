import type { IncomingMessage } from 'node:http';
import type { BodyFormat } from './receive.js';

/** Why a request is not let in, for its client. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;
}

const PATH = '/ingest';
const METHODS = ['POST', 'PUT'];
const NDJSON_TYPES = [
  ...['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonl'],
  ...['application/jsonlines', 'application/x-jsonlines', 'application/json-lines'],
];
const CBOR_TYPES = ['application/cbor-seq', 'application/cbor'];
const NOT_FOUND = 404;
const NOT_ALLOWED = 405;
const UNSUPPORTED = 415;

/** Says how the body of a request is written, or why it is not wanted. */
export function routeOf({ url = '', method = '', headers }: IncomingMessage): BodyFormat | Refusal {
  if (url.split('?')[0] !== PATH) {
    return refusal(NOT_FOUND, `Cannot find what is asked for: it is not here (flights are taken at ${PATH})`);
  }
  if (!METHODS.includes(method)) {
    const error = `Cannot ${method} flights: they are only taken (the method must be POST or PUT)`;
    return refusal(NOT_ALLOWED, error, { allow: METHODS.join(', ') });
  }
  const records = recordsOf(headers['content-type']);
  if (records === undefined) {
    const types = `${NDJSON_TYPES[0]} or ${CBOR_TYPES[0]}`;
    const error = `Cannot read the body: its content type is another (it must be ${types})`;
    return refusal(UNSUPPORTED, error, { 'accept-post': types.replace(' or', ',') });
  }
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (!['identity', 'gzip', 'x-gzip'].includes(coding)) {
    const error = 'Cannot read the body: its content encoding is another (it must be gzip, or none)';
    return refusal(UNSUPPORTED, error, { 'accept-encoding': 'gzip' });
  }
  return { records, isGzip: coding !== 'identity' };
}

export function isRefusal(route: BodyFormat | Refusal): route is Refusal {
  return 'status' in route;
}

/** Where a client says nothing, as `curl -T` does, it sends lines. */
function recordsOf(contentType: string | undefined): BodyFormat['records'] | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? NDJSON_TYPES[0];
  if (NDJSON_TYPES.includes(type as string)) return 'ndjson';
  return CBOR_TYPES.includes(type as string) ? 'cbor' : undefined;
}

function refusal(status: number, error: string, headers: Refusal['headers'] = {}): Refusal {
  return { status, error, headers };
}
