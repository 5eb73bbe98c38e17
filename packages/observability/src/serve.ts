export { type MetricsServer, type ServeMetricsOptions, serveMetrics } from './serve-metrics.js';
