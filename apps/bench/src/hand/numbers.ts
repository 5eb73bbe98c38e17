// Numbers: those above 10 are converted to °F and collected or added up.

/** Collects into a new array. */
export function collect(numbers: readonly number[]): number[] {
  const out: number[] = [];
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] as number;
    if (value > 10) out.push(value * 1.8 + 32);
  }
  return out;
}

/** Collects into an array that is there already; gives how many there were. */
export function collectInto(numbers: readonly number[], out: Float64Array): number {
  let length = 0;
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] as number;
    if (value > 10) out[length++] = value * 1.8 + 32;
  }
  return length;
}

/** Adds up. */
export function sum(numbers: readonly number[]): number {
  let total = 0;
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] as number;
    if (value > 10) total += value * 1.8 + 32;
  }
  return total;
}

/** Converts all and adds up. */
export function mapReduce(numbers: readonly number[]): number {
  let total = 0;
  for (let at = 0; at < numbers.length; at++) total += (numbers[at] as number) * 1.8 + 32;
  return total;
}
