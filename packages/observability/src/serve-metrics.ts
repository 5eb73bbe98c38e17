import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PipelineError } from '@millrace/core';
import { checkCount, checkOptions, outOfRange, wrongType } from '@millrace/core/authoring';
import { checkObserved } from './internal/check-observed.js';
import type { Observed } from './observe.js';
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus-text.js';

/** Where the metrics are served. */
export interface ServeMetricsOptions {
  /** The port; 0 for any that is free. Default: 0. */
  readonly port?: number;
  /** The address to listen on. Default: `'127.0.0.1'`: this machine only. */
  readonly host?: string;
}

/** A server of metrics. */
export interface MetricsServer {
  /** The port that it listens on. */
  readonly port: number;
  /** Where the metrics are: `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  /** Stops it; idempotent. */
  close(): Promise<void>;
}

/**
 * Serves the figures to Prometheus: `/metrics`, and `/livez`, which says that the process answers.
 *
 * The server keeps no process alive. It runs on the thread of the pipelines, and they give way to it every 10 ms; one
 * longer call of a user's function holds it up.
 *
 * @param observed - What `observe()` gave.
 * @param options - `port`, `host`.
 * @returns Resolves when it listens.
 * @throws TypeError `ERR_CORE_ARGUMENT` when `observed` is not from `observe()`, or an option is unknown or has a wrong type.
 * @throws PipelineError `ERR_OBSERVABILITY_LISTEN` when it can't listen there, as where the port is taken.
 *
 * @example Serve the figures, and read them
 * ```ts
 * import { observe } from '@millrace/observability';
 * import { serveMetrics } from '@millrace/observability/serve';
 * const server = await serveMetrics(observe());
 * const response = await fetch(server.url);
 * assert.equal(response.status, 200);
 * await server.close();
 * ```
 */
export async function serveMetrics(observed: Observed, options: ServeMetricsOptions = {}): Promise<MetricsServer> {
  checkObserved('serveMetrics()', observed);
  checkOptions('serveMetrics()', options, ['port', 'host']);
  const { port = 0, host = '127.0.0.1' } = options;
  checkCount('serveMetrics()', 'port', port, 0);
  if (port > 65_535) throw outOfRange('serveMetrics()', 'port', port, 'at most 65535');
  if (typeof host !== 'string' || host === '') throw wrongType('serveMetrics()', 'host', host, 'an address');
  const server = createServer((request, response) => answer(observed, request, response));
  await listening(server, port, host);
  server.unref();
  const { port: own } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  let closed: Promise<void> | undefined;
  return {
    port: own,
    url: `http://${name}:${own}/metrics`,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      const problem = error.code === 'EADDRINUSE' ? 'the port is taken' : (error.code ?? error.message);
      const message = `Cannot serve metrics on ${host}:${port}: ${problem} (must be an address of this machine and a free port, or 0 for any)`;
      reject(new PipelineError('ERR_OBSERVABILITY_LISTEN', message, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function answer(observed: Observed, request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, type: string, text: string, more: Readonly<Record<string, string>> = {}): void => {
    // A connection that stays open would keep the process alive.
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', connection: 'close', ...more });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  const plain = 'text/plain; charset=utf-8';
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return send(405, plain, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
  }
  const path = (request.url ?? '/').split('?', 1)[0];
  if (path === '/metrics') return send(200, PROMETHEUS_CONTENT_TYPE, prometheusText(observed.snapshot()));
  if (path === '/livez') return send(200, plain, 'ok\n');
  send(404, plain, 'see /metrics and /livez\n');
}
