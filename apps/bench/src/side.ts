import { CORE } from './core/suite.js';
import { measure } from './measure.js';
import { hasSides, type Job } from './model.js';

// The program that a fresh process runs for each side and run: told by a job in JSON, it prints a figure.

const job = JSON.parse(process.argv[2] ?? '{}') as Job;
// Not all suites: those of whole programs import Millrace, and a process is to have only the code of its own side.
const of = CORE.filter(hasSides).find(
  (each) =>
    each.suite === job.suite &&
    each.name === job.case &&
    each.condition === job.condition &&
    each.options === job.options,
);
const side = of && [of.millrace, ...of.against].find(({ name }) => name === job.side);
if (of === undefined || side === undefined) throw new Error(`Cannot run the side: there is no ${process.argv[2]}`);
const program = await side.load();
const figure = program && (await measure(program, of, job.items, job.seed));
console.log(JSON.stringify(figure ?? null));
// What a library leaves running must not keep the comparison waiting.
process.exit(0);
