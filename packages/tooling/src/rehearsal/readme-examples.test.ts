import { expect, test } from 'vitest';
import { readmeExamples } from './readme-examples.js';

const page = (...blocks: string[]): string => `# Package\n\n${blocks.join('\n\n')}\n`;
const example = (code: string, info = 'ts'): string => `\`\`\`${info}\n${code}\n\`\`\``;

test('readmeExamples() takes the first example, not those in other languages', () => {
  const examples = readmeExamples(page(example('npm i', 'sh'), example('first();'), example('second();')));
  expect(examples).toEqual([{ code: expect.stringContaining('first();'), runs: true }]);
});

test('readmeExamples() takes the first that runs as well when the first does not', () => {
  const examples = readmeExamples(page(example('first();', 'ts no-run'), example('second();'), example('third();')));
  expect(examples.map(({ runs }) => runs)).toEqual([false, true]);
  expect(examples[1]?.code).toContain('second();');
});

test('readmeExamples() imports assert where it is used, and keeps the lines of the page', () => {
  const [module] = readmeExamples(page(example('assert.ok(true);')));
  const lines = module?.code.split('\n');
  expect(lines?.[0]).toBe("import assert from 'node:assert/strict';");
  expect(lines?.[3]).toBe('assert.ok(true);');
});

test('readmeExamples() leaves an import of assert as it is', () => {
  const own = "import assert from 'node:assert';\nassert.ok(true);";
  expect(readmeExamples(page(example(own)))[0]?.code.match(/import assert/g)).toHaveLength(1);
});

test('readmeExamples() finds nothing in a page without examples', () => {
  expect(readmeExamples(page('Text'))).toEqual([]);
});
