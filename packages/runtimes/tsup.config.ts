import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program(['src/index.ts']);

export default options;
