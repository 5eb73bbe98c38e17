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

  reject(rejection: Rejection): void {
    this.#rejected++;
    if (this.#rejections.length < MOST_REJECTIONS) this.#rejections.push(rejection);
  }

  receipt(error?: string): Receipt {
    const receipt = { accepted: this.accepted, rejected: this.#rejected, rejections: this.#rejections };
    return error === undefined ? receipt : { ...receipt, error };
  }
}

/** Says where a record was, and why it was rejected. */
export function rejectionOf({ code, recordIndex = 0, byteOffset = 0, message, cause }: CodecError): Rejection {
  const issue = Array.isArray(cause) ? (cause[0] as { readonly message: string } | undefined) : undefined;
  return { index: recordIndex, byteOffset, code, reason: issue?.message ?? message };
}
