import { CodecError } from '../codec-error.js';
import type { StringColumn } from './column.js';

/** A column of texts as the places of its values in a list, for texts that are few and often the same. */
export interface StringDictionary {
  /** For each row the place of its text in `values`. */
  readonly indexes: Uint16Array | Uint32Array;
  /**
   * The different texts that were met so far, and `null` where a row has none. It is the same list in all row groups and
   * only ever grows: a place means the same text throughout.
   */
  readonly values: StringColumn;
}

const MOST_VALUES = 1_048_576;
const MOST_IN_16_BITS = 65_536;

/** The list of the different texts of one column, over all row groups. */
export class DictionaryBuilder {
  readonly #name: string;
  readonly #values: (string | null)[] = [];
  readonly #places = new Map<string | null, number>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Makes a column of texts. */
  ofTexts(texts: StringColumn): StringDictionary {
    const places = Uint32Array.from(texts, (text) => this.#placeOf(text));
    return this.#column(places, undefined);
  }

  /** Makes a column of a row group's own dictionary and the places there. */
  ofCoded(indexes: Uint32Array, dictionary: ArrayLike<unknown>): StringDictionary {
    const places = Uint32Array.from(dictionary, (text) => this.#placeOf(text as string));
    return this.#column(indexes, places);
  }

  #column(indexes: Uint32Array, places: Uint32Array | undefined): StringDictionary {
    const isNarrow = this.#values.length <= MOST_IN_16_BITS;
    const column = isNarrow ? new Uint16Array(indexes.length) : new Uint32Array(indexes.length);
    if (places === undefined) column.set(indexes);
    else for (let row = 0; row < column.length; row++) column[row] = places[indexes[row] as number] as number;
    return { indexes: column, values: this.#values };
  }

  #placeOf(text: string | null): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.#values.length;
    if (place === MOST_VALUES) throw this.#tooMany();
    this.#values.push(text);
    this.#places.set(text, place);
    return place;
  }

  #tooMany(): CodecError {
    const must = `at most ${MOST_VALUES.toLocaleString('en-US')} as "dictionary"; ask for "string"`;
    const message = `Cannot decode column "${this.#name}": it has too many different texts (${must})`;
    return new CodecError('ERR_CODECS_PARQUET', message);
  }
}
