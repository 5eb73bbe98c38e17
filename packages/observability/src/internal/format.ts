const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Shows a number of items in at most six characters. */
export function formatItems(items: number): string {
  if (!Number.isFinite(items)) return '∞';
  if (items < 999.5) return Number.isInteger(items) || items >= 99.5 ? items.toFixed(0) : items.toFixed(1);
  if (items < 999_950) return `${scaled(items / 1e3)}k`;
  if (items < 999_950_000) return `${scaled(items / 1e6)}M`;
  return `${scaled(items / 1e9)}G`;
}

/** Shows a time with the unit that suits it. */
export function formatMs(ms: number): string {
  if (ms < 0.0009995) return `${(ms * 1e6).toFixed(0)} ns`;
  if (ms < 0.9995) return `${scaled(ms * 1e3)} µs`;
  if (ms < 999.5) return `${scaled(ms)} ms`;
  return `${scaled(ms / 1e3)} s`;
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

/** Cuts a text to so many columns, with a sign that it was cut; what would move the cursor is taken out. */
export function clip(text: string, columns: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·');
  if (widthOf(plain) <= columns) return plain;
  let cut = '';
  let width = 1;
  for (const character of plain) {
    width += widthOf(character);
    if (width > columns) break;
    cut += character;
  }
  return columns > 0 ? `${cut}…` : '';
}

function scaled(value: number): string {
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}
