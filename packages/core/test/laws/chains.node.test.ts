import { CHAINS } from './families.js';
import { lawsHold } from './hold.js';

lawsHold(CHAINS);
