import type { Case } from '../model.js';
import { ASYNC_CASES } from './async.js';
import { NUMBER_CASES } from './numbers.js';
import { SYNC_FUSED } from './sync-fused.js';

/** The suite `core`: the engine alone. */
export const CORE: readonly Case[] = [...SYNC_FUSED, ...NUMBER_CASES, ...ASYNC_CASES];
