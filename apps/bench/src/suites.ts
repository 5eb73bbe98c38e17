import { CORE } from './core/suite.js';
import { DEMO } from './demo/suite.js';
import { LINEAR } from './linear/suite.js';
import type { Case, ProgramCase } from './model.js';

/** All cases of all suites. */
export const CASES: readonly (Case | ProgramCase)[] = [...CORE, ...DEMO, ...LINEAR];
