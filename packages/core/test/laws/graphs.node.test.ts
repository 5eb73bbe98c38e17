import { GRAPHS } from './families.js';
import { lawsHold } from './hold.js';

lawsHold(GRAPHS);
