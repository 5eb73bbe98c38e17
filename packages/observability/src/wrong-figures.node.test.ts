import { logRun, type Observed, observe, prometheusText, type Snapshot, top } from '@millrace/observability';
import { serveMetrics } from '@millrace/observability/serve';
import { expect, test } from 'vitest';

test('readers of figures refuse what observe() did not return, and what is no snapshot', async () => {
  const observer = observe().observer as unknown as Observed;
  const is = 'observed is an object (Object) (must be what observe() returns)';
  expect(() => top(observer)).toThrow(`Cannot build top(): ${is}`);
  expect(() => logRun(observer, console)).toThrow(`Cannot build logRun(): ${is}`);
  await expect(serveMetrics(observer)).rejects.toThrow(`Cannot build serveMetrics(): ${is}`);
  expect(() => prometheusText(observe() as unknown as Snapshot)).toThrow(
    'Cannot build prometheusText(): snapshot is an object (Object) (must be what snapshot() returns)',
  );
});
