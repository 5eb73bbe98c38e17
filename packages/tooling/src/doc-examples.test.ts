import { expect, test } from 'vitest';
import { examplesOfMarkdown, examplesOfSource, exportedNames, renderExamples } from './doc-examples.js';

const SOURCE = `
/**
 * Adds one.
 *
 * \`\`\`ts
 * notAnExample();
 * \`\`\`
 *
 * @example Two
 * \`\`\`ts
 * import { readFile as read, type Stats } from 'node:fs';
 * assert.equal(increment(1), 2);
 * \`\`\`
 * @example Only typed
 * \`\`\`ts no-run
 * increment(await remote());
 * \`\`\`
 * @see elsewhere
 */
export function increment(value: number): number {}
`;

test('examplesOfSource() takes the blocks below @example, with title and line', () => {
  expect(examplesOfSource(SOURCE)).toEqual([
    expect.objectContaining({ title: 'Two', line: 11, runs: true }),
    { title: 'Only typed', line: 16, runs: false, code: 'increment(await remote());' },
  ]);
});

test('examplesOfMarkdown() names a block by the heading above', () => {
  const page = '# Title\n```ts\na();\n```\n## Second\n```sh\n# not a heading\n```\n```ts\nb();\n```\n';
  expect(examplesOfMarkdown(page)).toEqual([
    { title: 'Title', line: 3, runs: true, code: 'a();' },
    { title: 'Second', line: 10, runs: true, code: 'b();' },
  ]);
});

test('exportedNames() tells values from types', () => {
  expect(
    exportedNames("// Errors\nexport { a, type B, c as d } from './a.js';\nexport type { E } from './e.js';"),
  ).toEqual([
    { name: 'a', isType: false },
    { name: 'B', isType: true },
    { name: 'd', isType: false },
    { name: 'E', isType: true },
  ]);
});

test('renderExamples() hoists imports and adds those of the package that are used', () => {
  const exports = exportedNames("export { increment, decrement } from './count.js';");
  const rendered = renderExamples('packages/count/src/count.ts', examplesOfSource(SOURCE), '@millrace/count', exports);
  expect(rendered).toContain("import { readFile as read } from 'node:fs';");
  expect(rendered).toContain("import { type Stats } from 'node:fs';");
  expect(rendered).toContain("import { increment } from '@millrace/count';");
  expect(rendered).not.toContain('decrement');
  expect(rendered).toContain('exampleTest("packages/count/src/count.ts:11 Two", async () => {');
});

test('renderExamples() refuses two imports of one name', () => {
  const page = "# A\n```ts\nimport { a } from 'x';\n```\n```ts\nimport { a } from 'y';\n```\n";
  expect(() => renderExamples('README.md', examplesOfMarkdown(page), '', [])).toThrow(/Cannot import a in README.md:6/);
});

test('renderExamples() refuses a block of a page that uses assert without an import', () => {
  const page = "# A\n```ts\nimport assert from 'node:assert';\nassert(1);\n```\n```ts\nassert(2);\n```\n";
  expect(() => renderExamples('README.md', examplesOfMarkdown(page), '', [])).toThrow(/Cannot copy .* README.md:7/);
});
