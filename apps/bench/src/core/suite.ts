import type { Case, ProgramCase } from '../model.js';
import { ASYNC_CASES } from './async.js';
import { CHANNEL_CASES } from './channel.js';
import { GROUP_CASES } from './groups.js';
import { JOIN_CASES } from './joins.js';
import { NUMBER_CASES } from './numbers.js';
import { OBSERVED } from './observed.js';
import { RETRY_PATH } from './retry-path.js';
import { SYNC_FUSED } from './sync-fused.js';
import { TYPES } from './types.js';

/** The suite `core`: the engine alone. */
export const CORE: readonly (Case | ProgramCase)[] = [
  ...SYNC_FUSED,
  ...NUMBER_CASES,
  ...ASYNC_CASES,
  ...GROUP_CASES,
  ...CHANNEL_CASES,
  ...JOIN_CASES,
  ...RETRY_PATH,
  ...OBSERVED,
  TYPES,
];
