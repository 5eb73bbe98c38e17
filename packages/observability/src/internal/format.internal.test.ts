import { expect, test } from 'vitest';
import { clip, formatItems, formatMs, widthOf } from './format.js';

test.each([
  [0, '0'],
  [7, '7'],
  [7.25, '7.3'],
  [99.6, '100'],
  [999, '999'],
  [999.6, '1.0k'],
  [12_345, '12.3k'],
  [123_456, '123k'],
  [999_999, '1.0M'],
  [12_000_000, '12.0M'],
  [5e9, '5.0G'],
  [Number.POSITIVE_INFINITY, '∞'],
])('formatItems() shows %d as %s', (items, text) => {
  expect(formatItems(items)).toBe(text);
});

test.each([
  [0, '0 ns'],
  [0.00002, '20 ns'],
  [0.0009999, '1.0 µs'],
  [0.0123, '12.3 µs'],
  [4.56, '4.6 ms'],
  [250, '250 ms'],
  [999.9, '1.0 s'],
  [61_000, '61.0 s'],
])('formatMs() shows %d as %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test.each([
  ['plain', 10, 'plain'],
  ['plain', 5, 'plain'],
  ['plain', 4, 'pla…'],
  ['気象観測', 8, '気象観測'],
  ['気象観測', 6, '気象…'],
  ['a\nb\u001b[1m', 10, 'a·b·[1m'],
  ['gone', 0, ''],
])('clip() makes %j at most %d columns wide: %j', (text, columns, cut) => {
  expect(clip(text, columns)).toBe(cut);
  expect(widthOf(clip(text, columns))).toBeLessThanOrEqual(columns);
});
