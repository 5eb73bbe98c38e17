import { isThenable } from '@millrace/core/authoring';
import type { Fault, FaultCall } from './fault.js';

/** Asks the faults one after the other, then goes on; at once where none of them takes time. */
export function asked<R>(faults: readonly Fault[], call: FaultCall, next: () => R): R | Promise<Awaited<R>> {
  for (let at = 0; at < faults.length; at++) {
    const wait = (faults[at] as Fault)(call);
    if (isThenable(wait)) {
      const rest = faults.slice(at + 1);
      return Promise.resolve(wait).then(() => asked(rest, call, next)) as Promise<Awaited<R>>;
    }
  }
  return next();
}
