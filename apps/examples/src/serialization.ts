import { cbor, ndjson } from '@millrace/codecs';
import { from, map } from '@millrace/core';
import { show } from './show.js';

// Technique 7, serialization: JSON lines where people or other programs read; CBOR between services, a record as an array
// without the names of its fields. A column of numbers needs no codec at all: its bytes are its memory.

export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly tags: readonly string[];
}
type Row = readonly [name: string, value: number, tags: readonly string[]];

const toRow = map(({ name, value, tags }: Metric): Row => [name, value, tags]);
const toMetric = map(([name, value, tags]: Row): Metric => ({ name, value, tags }));

export async function toJson(metrics: Iterable<Metric>): Promise<Blob> {
  return new Blob(await from(metrics).pipeThrough(ndjson.encode()).toArray());
}
export async function toBinary(metrics: Iterable<Metric>): Promise<Blob> {
  return new Blob(await from(metrics).pipeThrough(toRow).pipeThrough(cbor.encode()).toArray());
}
export function fromBinary(bytes: Blob): Promise<Metric[]> {
  return from(bytes.stream()).pipeThrough(cbor.decode<Row>()).pipeThrough(toMetric).toArray();
}
/** The same memory, seen as numbers: nothing is copied, and nothing is allocated for a number that is read. */
export function numbersIn(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float64Array.BYTES_PER_ELEMENT);
}

await show(import.meta.url, async () => {
  const metric = (n: number): Metric => ({ name: 'cpu.load', value: n / 1_000, tags: ['eu', `host-${n % 10}`] });
  const metrics = Array.from({ length: 1_000 }, (_, n) => metric(n));
  const [json, binary] = [await toJson(metrics), await toBinary(metrics)];
  const column = new Uint8Array(Float64Array.from(metrics, ({ value }) => value).buffer);
  const [read, seen] = [(await fromBinary(binary))[42], numbersIn(column)[42]];
  return { jsonBytes: json.size, binaryBytes: binary.size, columnBytes: column.length, read, seen };
});
