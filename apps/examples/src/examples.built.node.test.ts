import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// Every example as its reader runs it, but for the two that take seconds of real time.
const PRINTED: Record<string, RegExp> = {
  'lazy-iterators': /^\[ 72\.5, 14, 86\.18, 60\.44\d* \]$/,
  'parallel-numbers':
    /^\{ mean: 5\.5, values: \[ -4\.5, -3\.5, -2\.5, -1\.5, -0\.5, 0\.5, 1\.5, 2\.5, 3\.5, 4\.5 \] \}$/,
  'parallel-documents':
    /words: 11, top: \[ 'the', 'mill', 'turns' \].*words: 6, top: \[ 'a', .*words: 7, top: \[ 'water', /,
  'custom-adapter': /^\[ \[ 0, 1, 2, 3, 4 \], \[ 5, 6, 7, 8, 9 \], \[ 10, 11 \] \]$/,
  'stateful-stages': /^\[ 'Roof: 21\.5 °C', 'Cellar: 19 °C', 'Roof: 22 °C' \]$/,
  'database-enrichment': /^\[ '101 Ada', '102 Grace', '103 Unknown', '104 Ada' \]$/,
  serialization:
    /^\{ jsonBytes: 56888, binaryBytes: 29992, columnBytes: 8000, read: \{ name: 'cpu\.load', value: 0\.042, tags: \[ 'eu', 'host-2' \] \}, seen: 0\.042 \}$/,
  observability:
    /run started.*balanced: true.*run done.*stage="ndjson\.decode",outcome="dropped"\} 1 .*p99Ms: \d.*'ndjson\.decode drops more than 1 %'/,
  topologies: /^3 stored 1 stored flowchart LR .* \[ 'oven: 211 °C' \]$/,
  tracing:
    /name: 'store', 'pipeline\.batch\.size': 3, duration: .*name: 'store', 'pipeline\.batch\.size': 2, duration: /,
};

/** On standard error; all others print nothing there. */
const WARNED: Record<string, RegExp> = { observability: /'error\.type': 'ERR_CODECS_JSON'.* stage error\n$/s };

test.each(Object.entries(PRINTED))('%s prints what its technique gives', async (name, expected) => {
  const program = fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);
  const { [name]: warned = /^$/ } = WARNED;
  expect(stdout.replace(/\s+/g, ' ').trim()).toMatch(expected);
  expect(stderr).toMatch(warned);
});
