import { from } from '@millrace/core';
import { observe } from '@millrace/observability';
import { serveMetrics } from '@millrace/observability/serve';
import { describe, expect, test } from 'vitest';

describe('serveMetrics()', () => {
  test('serveMetrics() answers /metrics with the figures of the moment, and /livez', async () => {
    const observed = observe({ name: 'served' });
    const server = await serveMetrics(observed);
    expect(await (await fetch(server.url)).text()).toBe('');
    await from([1, 2]).toArray({ observer: observed.observer });
    const response = await fetch(server.url);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('pipeline_runs_started_total{pipeline="served"} 1\n');
    const live = await fetch(new URL('/livez?deep=1', server.url));
    expect([live.status, await live.text()]).toEqual([200, 'ok\n']);
    await server.close();
  });

  test.each([
    ['GET', '/', 404],
    ['GET', '/metricsx', 404],
    ['POST', '/metrics', 405],
    ['HEAD', '/metrics', 200],
  ])('serveMetrics() answers %s %s with %d', async (method, path, status) => {
    const server = await serveMetrics(observe());
    const response = await fetch(new URL(path, server.url), { method });
    expect(response.status).toBe(status);
    await server.close();
  });

  test('serveMetrics() listens on this machine only, unless told otherwise', async () => {
    const server = await serveMetrics(observe());
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/metrics`);
    await server.close();
  });

  test('serveMetrics() rejects with a clear error where the port is taken', async () => {
    const first = await serveMetrics(observe());
    const error = await serveMetrics(observe(), { port: first.port }).catch((reason) => reason);
    expect(error).toMatchObject({
      code: 'ERR_OBSERVABILITY_LISTEN',
      message: `Cannot serve metrics on 127.0.0.1:${first.port}: the port is taken (must be an address of this machine and a free port, or 0 for any)`,
      cause: { code: 'EADDRINUSE' },
    });
    await first.close();
    const again = await serveMetrics(observe(), { port: first.port });
    await again.close();
    await again.close();
    await expect(fetch(again.url)).rejects.toThrow();
  });

  test('serveMetrics() refuses wrong options', async () => {
    await expect(serveMetrics(observe(), { port: 70_000 })).rejects.toThrow('must be at most 65535');
    await expect(serveMetrics(observe(), { port: '9464' as never })).rejects.toThrow('must be a whole number');
    await expect(serveMetrics(observe(), { adress: '' } as never)).rejects.toThrow('option "adress" is unknown');
  });
});
