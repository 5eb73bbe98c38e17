import { CORE } from './core/suite.js';
import type { Case } from './model.js';

/** All cases of all suites. */
export const CASES: readonly Case[] = [...CORE];
