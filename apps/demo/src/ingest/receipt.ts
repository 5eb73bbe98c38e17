import type { CodecError } from '@millrace/codecs';

/** A record that was no flight. */
export interface Rejection {
  /** How many records of the body came before it. */
  readonly index: number;
  /** Where it begins in the body, decompressed. */
  readonly byteOffset: number;
  readonly code: string;
  readonly reason: string;
}

/** What a client is told about its body. */
export interface Receipt {
  /** Flights that are in the pipeline now. */
  readonly accepted: number;
  /** Records that are no flights; with those accepted, the index of the first record that was not taken in. */
  readonly rejected: number;
  /** The first of them. */
  readonly rejections: readonly Rejection[];
  /** Why the body was not taken in to its end, if so. */
  readonly error?: string;
}

/** How many rejections a receipt has room for. */
const MOST_REJECTIONS = 10;

/** Writes a receipt while a body is taken in. */
export class ReceiptBook {
  accepted = 0;
  #rejected = 0;
  readonly #rejections: Rejection[] = [];

  reject(error: CodecError): void {
    this.#rejected++;
    if (this.#rejections.length === MOST_REJECTIONS) return;
    const { recordIndex: index = 0, byteOffset = 0, code } = error;
    this.#rejections.push({ index, byteOffset, code, reason: reasonOf(error) });
  }

  receipt(error?: string): Receipt {
    const receipt = { accepted: this.accepted, rejected: this.#rejected, rejections: this.#rejections };
    return error === undefined ? receipt : { ...receipt, error };
  }
}

function reasonOf({ message, cause }: CodecError): string {
  const issue = Array.isArray(cause) ? (cause[0] as { readonly message: string } | undefined) : undefined;
  return issue?.message ?? message;
}
