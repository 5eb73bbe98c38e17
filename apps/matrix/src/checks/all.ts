import type { Check } from '../check.js';
import { ENDING_CHECKS } from './endings.js';
import { FOREIGN_CHECKS } from './foreign.js';
import { KIT_CHECKS } from './kit.js';
import { SHAPE_CHECKS } from './shapes.js';

/** What must be so on every runtime. */
export const CHECKS: readonly Check[] = [...SHAPE_CHECKS, ...ENDING_CHECKS, ...FOREIGN_CHECKS, ...KIT_CHECKS];
