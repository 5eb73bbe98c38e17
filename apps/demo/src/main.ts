import { runDemo } from './demo.js';

// Sets the code and returns: what was written to a pipe still has to leave, and nothing else must keep the process.
process.exitCode = await runDemo(process.argv.slice(2));
