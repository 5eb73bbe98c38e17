import { expect, test } from 'vitest';
import { DictionaryBuilder } from './string-dictionary.js';

test('DictionaryBuilder refuses more different texts than it has room for', () => {
  const builder = new DictionaryBuilder('tail');
  const texts = Array.from({ length: 1_048_576 }, (_, row) => row.toString(36));
  expect(builder.ofTexts(texts).indexes.at(-1)).toBe(1_048_575);
  expect(() => builder.ofTexts(['another'])).toThrow(
    'Cannot decode column "tail": it has too many different texts (at most 1,048,576 as "dictionary"; ask for "string")',
  );
});
