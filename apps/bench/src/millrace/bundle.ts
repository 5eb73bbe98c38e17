// What an application bundles: the work, and the other pipelines that go through the same code.
export { pollute } from './pollute.js';
export { eight, four } from './readings.js';
