import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program(['src/main.ts', 'src/core-side.ts']);

export default options;
