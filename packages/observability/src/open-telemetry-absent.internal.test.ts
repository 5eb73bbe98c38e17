import { expect, test, vi } from 'vitest';

vi.mock('@opentelemetry/api', () => {
  throw new Error("Cannot find package '@opentelemetry/api'");
});

test('inSpan() just calls the function where there is no OpenTelemetry', async () => {
  const { inSpan, spanned } = await import('./open-telemetry.js');
  expect(inSpan('work', () => 5, { items: 1 })).toBe(5);
  expect(await spanned('work', async (n: number) => n + 1)(1)).toBe(2);
});
