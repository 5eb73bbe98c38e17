export { findChromium } from './chromium.js';
export { ClosingLine } from './closing-line.js';
export { docExamples } from './doc-examples-plugin.js';
export { workspaces } from './workspace.js';
