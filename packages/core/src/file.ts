export { type FileCheckpointOptions, fileCheckpoint } from './file/file-checkpoint.js';
export { type FileLinesOptions, fileLines } from './file/file-lines.js';
