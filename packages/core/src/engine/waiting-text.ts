import { type Segment, STATUS, type Writer } from './codegen.js';
import type { WaitingText } from './step.js';

/** The text around a step that waits for one promise at a time; no step behind it unfolds items, so that no cursor is open there. */
export const WAITING_TEXT: WaitingText = {
  ready: (writer, at) =>
    `if (S.isReady && !S.parks) { const value = S.value; S.isReady = false; S.value = undefined;
${valueText(writer, at)} }`,
  value: valueText,
  // PERF: the same loop, in the function that hears of the promise: one call for an item, and nothing kept in between but what
  // others look at (core/async-1, 1.4 times as fast).
  listen: (loop) => `function listen(S, leave, leftLoop, onError) { return function onValue(value) {
if (S.hears !== onValue || S.run.isDraining) return leave(value);
S.isLooping = true; S.awaits = undefined; const limit = allowance();
${loop} const isTimeUp = spend(i - S.at); S.at = i; C[0] = i + before;
if (status === ${STATUS.awaiting} && stop < 0 && !isTimeUp && S.hears === onValue) { const promise = S.awaits; if (promise instanceof Promise) { S.isLooping = false; promise.then(onValue, onError); return; } }
S.hears = undefined; leftLoop(isTimeUp); }; }`,
};

const IN_READY: Segment = { next: 'break ready;', exit: 'break main;', open: 'continue main;' };

function valueText(writer: Writer, at: number): string {
  const item = `v${at + 1}`;
  const region = writer.layout.region[at + 1];
  return `ready: { const ${item} = value; const j${region} = n${region}++;
${writer.chain(at + 1, item, IN_READY)} }`;
}
