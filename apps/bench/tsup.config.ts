import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program(['src/main.ts', 'src/side.ts', 'src/flights-side.ts', 'src/linear-side.ts']);

export default options;
