export type { EmbeddedConnection, EmbeddedPostgres } from './embedded/server.js';
export { type EmbeddedOptions, startPostgres } from './embedded/start-postgres.js';
