import { readFileSync } from 'node:fs';
import { type FileMetaData, parquetMetadata, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** A row group as the decoder has it. */
export interface FlightColumns {
  readonly rows: number;
  /** Epoch milliseconds. */
  readonly dates: readonly number[];
  readonly delays: readonly number[];
  readonly distances: readonly number[];
  /** Numbers of airports. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The flights of vega-datasets, in their Parquet file: one page a column and row group, no nulls, dictionaries. */
export class FlightFile {
  /** The codes of the airports that were met so far, by their numbers. */
  readonly codes: string[] = [];
  readonly #bytes: ArrayBuffer;
  readonly #metadata: FileMetaData;
  readonly #numbers = new Map<string, number>();
  readonly #decoder = new TextDecoder();
  #rowStart = 0;

  constructor(path: string) {
    const { buffer, byteOffset, byteLength } = readFileSync(path);
    this.#bytes = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const metadata = parquetMetadata(this.#bytes);
    // A plain 64-bit integer comes as a BigInt for each row; an instant is parsed once for each entry of the dictionary.
    const schema = metadata.schema.map((column) =>
      column.type === 'INT64' && column.logical_type === undefined
        ? { ...column, converted_type: 'TIMESTAMP_MILLIS' as const }
        : column,
    );
    this.#metadata = { ...metadata, schema };
  }

  /** How many row groups there are. */
  get groups(): number {
    return this.#metadata.row_groups.length;
  }

  /** Reads the next row group; `group` is its number. */
  async read(group: number): Promise<FlightColumns> {
    const { num_rows: count, columns } = this.#metadata.row_groups[group] as FileMetaData['row_groups'][number];
    if (columns.some(({ meta_data: data }) => data?.statistics?.null_count !== 0n)) {
      throw new TypeError('Cannot read the flights by hand: some have no value (all must have)');
    }
    const rows = Number(count);
    const read = {
      rows,
      dates: await this.#column('date', rows),
      delays: await this.#column('delay', rows),
      distances: await this.#column('distance', rows),
      from: await this.#column('origin', rows),
      to: await this.#column('destination', rows),
    };
    this.#rowStart += rows;
    return read;
  }

  async #column(name: string, rows: number): Promise<readonly number[]> {
    const chunks: (readonly number[])[] = [];
    await parquetRead({
      file: this.#bytes,
      metadata: this.#metadata,
      columns: [name],
      rowStart: this.#rowStart,
      rowEnd: this.#rowStart + rows,
      compressors,
      parsers: {
        timestampFromMilliseconds: Number,
        timestampFromMicroseconds: (micros: bigint) => Number(micros) / 1_000,
        stringFromBytes: (bytes: Uint8Array) => this.#numberOf(this.#decoder.decode(bytes)),
      },
      onChunk: ({ columnData }) => void chunks.push(columnData as unknown as readonly number[]),
    });
    return chunks.length === 1 ? (chunks[0] as readonly number[]) : chunks.flat();
  }

  #numberOf(code: string): number {
    const known = this.#numbers.get(code);
    if (known !== undefined) return known;
    this.#numbers.set(code, this.codes.length);
    return this.codes.push(code) - 1;
  }
}
