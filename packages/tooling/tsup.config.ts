import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program([
  'src/check-api.ts',
  'src/check-docs.ts',
  'src/check-packages.ts',
  'src/check-sizes.ts',
  'src/check-types.ts',
  'src/laws.ts',
  'src/release-rehearse.ts',
]);

export default options;
