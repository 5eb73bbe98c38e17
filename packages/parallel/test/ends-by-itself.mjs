// A program that closes nothing: it must end all the same, after a run that was aborted in the middle and one that ended.
import { from, range } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';

const functions = workerModule(new URL('./functions.mjs', import.meta.url), { workers: 2 });
const began = new Int32Array(new SharedArrayBuffer(4));
const items = from(range(0, 100)).pipeThrough(parallel(functions, 'increment'));
console.log((await items.toArray()).length);
const watched = from([{ n: 1, at: 1, began }]).pipeThrough(parallel(functions, 'hangAt'));
const run = watched.run(() => {});
while (Atomics.load(began, 0) === 0) await new Promise(setImmediate);
run.abort(new Error('enough'));
console.log(await run.finished.catch((error) => error.message));
