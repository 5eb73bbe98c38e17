import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program([
  'src/lazy-iterators.ts',
  'src/async-stream.ts',
  'src/bounded-channel.ts',
  'src/custom-adapter.ts',
  'src/stateful-stages.ts',
]);

export default options;
