import { expect, test } from 'vitest';
import { deadLinksOf } from './dead-links.js';

const dead = (files: Readonly<Record<string, string>>, page = 'docs/page.md'): string[] =>
  deadLinksOf([page], {
    has: (path) => Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`)),
    read: (path) => files[path] ?? '',
  });

test('deadLinksOf() says which file there is not', () => {
  expect(dead({ 'docs/page.md': 'See [one](one.md), [two](../two.md) and [out](../../x.md).', 'two.md': '' })).toEqual([
    'docs/page.md: there is no docs/one.md, which "one.md" leads to',
    'docs/page.md: there is no ../x.md, which "../../x.md" leads to',
  ]);
});

test('deadLinksOf() says which heading there is not, in this page and others', () => {
  const page =
    '# The `page`, twice\n[a](#the-page-twice) [b](#other) [c](two.md#at-the-end) [d](two.md#a-1) [e](two.md#b)';
  expect(dead({ 'docs/page.md': page, 'docs/two.md': '## At the [end](x)\n## A\n## A\n' })).toEqual([
    'docs/page.md: docs/page.md has no heading for "#other"',
    'docs/page.md: docs/two.md has no heading for "#b"',
  ]);
});

test('deadLinksOf() looks up links to the repository, and no others', () => {
  const blob = 'https://github.com/millrace/millrace/blob/main';
  const page = `[a](${blob}/docs/page.md) [b](${blob}/gone.md) [c](https://example.org/gone.md) [d](mailto:a@b)`;
  expect(dead({ 'docs/page.md': page })).toEqual([
    `docs/page.md: there is no gone.md, which "${blob}/gone.md" leads to`,
  ]);
});

test('deadLinksOf() accepts folders, and takes code for no link', () => {
  const page = '[src](../src/) `[a](b.md)`\n```md\n[c](d.md)\n# Not a heading\n```\n';
  expect(dead({ 'docs/page.md': page, 'src/a.ts': '' })).toEqual([]);
  expect(dead({ 'docs/page.md': `${page}[e](#not-a-heading)`, 'src/a.ts': '' })).toHaveLength(1);
});
