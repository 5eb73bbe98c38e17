import { logRun, type Observed, observe, top } from '@millrace/observability';
import { serveMetrics } from '@millrace/observability/serve';

/** What shows how the run is getting on. */
export interface Figures {
  readonly observed: Observed;
  /** Stops showing. */
  close(): Promise<void>;
}

/** What is asked for. */
export interface FiguresOptions {
  /** Where to serve them on 127.0.0.1; `undefined` for nowhere. */
  readonly port: number | undefined;
  /** Whether to log. */
  readonly log: boolean;
}

/**
 * Shows the figures of the run: in a terminal as a table, for Prometheus, in a log.
 *
 * @param options - What is asked for.
 * @param stream - Where the table goes when it is a terminal, and the log when not.
 * @throws PipelineError `ERR_OBSERVABILITY_LISTEN` when the port is taken.
 */
export async function showFigures(options: FiguresOptions, stream: NodeJS.WriteStream): Promise<Figures> {
  const observed = observe({ name: 'night miles' });
  const server = options.port === undefined ? undefined : await serveMetrics(observed, { port: options.port });
  if (server !== undefined) stream.write(`figures for Prometheus: ${server.url}\n`);
  // Lines of a log would tear the table.
  const log = options.log && !stream.isTTY ? logRun(observed, lineLogger(stream)) : undefined;
  const table = stream.isTTY ? top(observed, { stream }) : undefined;
  return {
    observed,
    async close() {
      table?.close();
      log?.close();
      await server?.close();
    },
  };
}

/** Writes one JSON object a line, as pino does. */
function lineLogger(stream: NodeJS.WriteStream): Parameters<typeof logRun>[1] {
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      stream.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...fields, message })}\n`);
    };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
