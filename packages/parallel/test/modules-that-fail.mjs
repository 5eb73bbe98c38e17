// A program that closes nothing: it must end all the same, when each of its modules was of no use.
import { from } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';

const files = ['absent.mjs', 'throws-at-load.mjs', 'exits-at-load.mjs', 'hangs-at-load.mjs', 'functions.mjs'];
for (const file of files) {
  const startTimeoutMs = file === 'hangs-at-load.mjs' ? 100 : 30_000;
  const module = workerModule(new URL(`./${file}`, import.meta.url), { workers: 2, startTimeoutMs });
  const results = from([1, 2]).pipeThrough(parallel(module, 'notThere')).toArray();
  console.log(file, await results.catch((error) => error.cause.code));
}
