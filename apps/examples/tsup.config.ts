import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program([
  'src/lazy-iterators.ts',
  'src/parallel-numbers.ts',
  'src/parallel-documents.ts',
  'src/async-stream.ts',
  'src/bounded-channel.ts',
  'src/custom-adapter.ts',
  'src/stateful-stages.ts',
  'src/database-enrichment.ts',
  'src/serialization.ts',
  'src/observability.ts',
  'src/topologies.ts',
  'src/tracing.ts',
  // Worker threads load these by their URLs.
  'src/numbers.ts',
  'src/document.ts',
]);

export default options;
