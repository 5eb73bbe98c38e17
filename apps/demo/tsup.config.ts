import type { Options } from 'tsup';
import { program } from '../../tsup.base.js';

const options: Options = program(['src/main.ts', 'src/export.ts', 'src/night-worker.ts', 'src/parts.ts']);

export default options;
