import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A registry for npm packages on 127.0.0.1, which knows only what is published to it. */
export interface Registry {
  /** With a slash at the end. */
  readonly url: string;
  /** Reads the document of a package, or undefined if there is none. */
  read(packageName: string): Promise<string | undefined>;
  close(): Promise<void>;
}

// Verdaccio is 310 packages and 56 MB that only this command needs: it is installed here and not with the workspace.
const MANIFEST = { private: true, dependencies: { verdaccio: '6.7.2' } };
const WORKSPACE = 'pmOnFail: ignore\noverrides:\n  node-fetch: 2.7.0\n';

/** Writes a project that has Verdaccio as its dependency, for `pnpm install`. */
export function writeRegistryProject(directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(directory, 'pnpm-workspace.yaml'), WORKSPACE);
}

/** Starts the Verdaccio of an installed project, in this process so that it can't outlive it, on a free port. */
export async function startRegistry(directory: string): Promise<Registry> {
  const { runServer } = createRequire(join(directory, 'package.json'))('verdaccio') as {
    runServer(configuration: object): Promise<Server>;
  };
  const path = join(directory, 'verdaccio.yaml');
  const server = await runServer({
    configPath: path,
    self_path: path,
    storage: join(directory, 'storage'),
    uplinks: {},
    packages: { '**': { access: '$all', publish: '$all' } },
    auth: {},
    web: { enable: false },
    max_body_size: '100mb',
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    async read(packageName) {
      const response = await fetch(new URL(packageName.replace('/', '%2f'), url));
      return response.ok ? response.text() : undefined;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
