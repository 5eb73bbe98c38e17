import { from } from '@millrace/core';
import { parallel, workerModule } from '@millrace/parallel';
import type { Analysis } from './document.js';
import { show } from './show.js';

// Technique 2, documents on all cores: each is analysed by a worker thread, in bursts, and the results keep their order.
// On one thread the line in the middle is `map(analyse)`; nothing else differs.

const documents = workerModule<typeof import('./document.js')>(new URL('./document.js', import.meta.url));

export function analysed(texts: Iterable<string>): Promise<Analysis[]> {
  return from(texts)
    .pipeThrough(parallel(documents, 'analyse')) // typed from the module: strings in, analyses out
    .toArray();
}

const TEXTS = [
  'The mill turns. The river turns the mill. The miller sleeps.',
  'A race, a race! Who wins?',
  'Water finds its way: around, below, through.',
];
await show(import.meta.url, () => analysed(TEXTS));
