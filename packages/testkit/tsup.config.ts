import type { Options } from 'tsup';
import { library } from '../../tsup.base.js';

const options: Options = library();

export default options;
