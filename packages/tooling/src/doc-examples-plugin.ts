import type { Plugin } from 'vite';
import { FOLDER, writeDocExamples } from './doc-examples.js';

/**
 * Turns every `ts` example of the documentation into a test, before the run and, in watch mode, whenever a source or
 * page changes. The tests are files, so that the type checker reads just what runs.
 */
export function docExamples(): Plugin {
  return {
    name: 'millrace:doc-examples',
    config() {
      writeDocExamples();
    },
    configureServer({ watcher }) {
      watcher.on('change', (file) => {
        if (!file.includes(FOLDER) && /\.(?:ts|md)$/.test(file)) writeDocExamples();
      });
    },
  };
}
