import { type Segment, STATUS, type Writer } from './codegen.js';
import { MANY } from './hand-on.js';

/**
 * The text that goes on from the cursor of step `at`, until that is at its end.
 *
 * PERF: an array is walked by a position of the loop's own; one kept in the cursor costs 1.3 times as much (core/async-source-64).
 */
export function cursorText(writer: Writer, at: number, level: number): string {
  const { layout, stops } = writer;
  const region = layout.region[at + 1] as number;
  const item = `v${at + 1}`;
  const count = `const j${region} = n${region}++;`;
  const goesOn = stops ? `stop <= ${at}` : 'true';
  const isEmitted = writer.isEmitted(at + 1);
  const fail = (error: string): string =>
    `{ S.error = ${error}; S.failed = ${at}; status = ${STATUS.failed}; break main; }`;
  return `if (level === ${level}) { const u = S.cursors[${level - 1}];
if (u.list !== undefined) { const list = u.list, from = u.at, most = from + left; let k = from;
${
  isEmitted
    ? emittedList(region)
    : `for (; k < list.length && ${goesOn}; k++) { if (k >= most) { u.at = k; break main; } const ${item} = list[k]; ${count}
${writer.chain(at + 1, item, IN_LIST)} }
left = most - k;`
}
} else while (${goesOn}) { if (left-- <= 0) break main; let ${item};
try { const step = u.iterator.next(); if (step.done) { u.iterator = undefined; break; } ${item} = step.value; } catch (error) { u.iterator = undefined; ${fail('error')} }
${count}
${writer.chain(at + 1, item, IN_ITERATOR)} }
level = u.below; n${layout.tally[at]}++;
const problem = u.close(); if (problem !== undefined) ${fail('problem.thrown')}${isEmitted ? ` if (status === ${STATUS.full}) break main;` : ''} }`;
}

/** INVARIANT: where `handOn()` puts another array in the place of `S.out`, nothing is added to that. */
function emittedList(region: number): string {
  return `k = Math.min(list.length, most, from + max - S.out.length); handOn(S, list, from, k);
n${region} += k - from; left = most - k; u.at = k;
if (S.out.length >= Math.min(max, ${MANY})) status = ${STATUS.full};
if (k < list.length) break main;`;
}

const IN_LIST: Segment = {
  next: 'continue;',
  exit: 'u.at = k + 1; break main;',
  open: 'u.at = k + 1; left = most - u.at; continue main;',
};
const IN_ITERATOR: Segment = { next: 'continue;', exit: 'break main;', open: 'continue main;' };
