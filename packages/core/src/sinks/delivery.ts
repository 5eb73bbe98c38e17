import { CHAIN, type Chain } from '../engine/spec.js';
import type { Attachment } from './attach.js';

/** A pipeline and the sink that its items go to: what `into()` gives and `runAll()` starts. */
export interface Delivery {
  /** @internal */
  readonly [CHAIN]: Chain & { readonly sink: Attachment };
}
