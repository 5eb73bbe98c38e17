export {
  type Answer,
  END,
  type End,
  Failure,
  isLater,
  isThenable,
  Mark,
  type Pulled,
  type Puller,
} from './engine/answer.js';
export { spend, whenMyTurn } from './engine/budget.js';
export { carryOn, gather, plain, within } from './engine/carried.js';
export type { StageContext } from './engine/context.js';
export { Edge } from './engine/edge.js';
export type { ItemPolicy, RetryPolicy } from './engine/item-policy.js';
export { Later, whenAnswered } from './engine/later.js';
export { Given, openRejects, type Rejects } from './engine/rejects.js';
export { Retries } from './engine/retries.js';
export type { SizeOf } from './engine/scale.js';
export {
  type OperatorPuller,
  type OperatorRooms,
  type OperatorSpec,
  type Room,
  roomFor,
  type SourceReader,
  type Weight,
} from './engine/spec.js';
export {
  checkBoolean,
  checkCount,
  checkFunction,
  checkMs,
  checkOptions,
  outOfRange,
  wrongType,
} from './internal/arguments.js';
export { type SourceOptions, source } from './sources/source.js';
export { itemPolicy } from './stages/async/item-policy.js';
export { type EdgeMark, edgeMark, type GivenEdge } from './stages/edge-options.js';
export { checkOnError } from './stages/fault/dead-letter.js';
export { checkPolicy } from './stages/fault/fallback.js';
export { type ForeignOptions, foreign } from './stages/foreign.js';
export { type OperatorOptions, operator } from './stages/operator.js';
