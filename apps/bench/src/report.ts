import type { Row } from './model.js';

/** Writes a row as one line of JSON, its fields in the order that COMMANDS names. */
export function jsonLine(row: Row): string {
  const { suite, case: name, condition, against, speed, low, high, metric, runs, runtime, options, value } = row;
  return JSON.stringify({
    suite,
    case: name,
    condition,
    against,
    speed: speed === null ? null : rounded(speed),
    low: rounded(low),
    high: rounded(high),
    metric,
    runs,
    runtime,
    options,
    ...(value !== undefined && { value: rounded(value) }),
  });
}

const WIDTHS = [34, 10, 34, 36] as const;

/** The head of the table. */
export function tableHead(): string {
  return line(['case', 'condition', 'options', 'against'], ['speed', 'low', 'high']);
}

/** A row of the table. */
export function tableRow(row: Row): string {
  const { suite, case: name, condition, options, against, speed, low, high, metric, value } = row;
  const what = speed ?? value ?? 0;
  return line(
    [`${suite}/${name}`, condition, options, against === '' ? `– (own figure, ${metric})` : against],
    [what, low, high].map((each) => String(rounded(each))),
  );
}

function line(texts: readonly string[], figures: readonly string[]): string {
  const left = texts.map((text, at) => text.padEnd(WIDTHS[at] as number)).join(' ');
  return `${left}${figures.map((figure) => figure.padStart(10)).join('')}`;
}

/** Three digits that count. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
