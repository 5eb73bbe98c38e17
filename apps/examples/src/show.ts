import { fileURLToPath } from 'node:url';

/** Runs an example and prints what it gives, where its file is the program that Node was started with. */
export async function show(moduleUrl: string, example: () => Promise<unknown>): Promise<void> {
  if (process.argv[1] === fileURLToPath(moduleUrl)) console.log(await example());
}
