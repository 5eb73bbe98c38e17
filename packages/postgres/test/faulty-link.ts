import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** A relay between a client and a server that cuts or stalls what goes through. */
export class FaultyLink {
  /** The options to connect with. */
  readonly connection: { host: string; port: number; user: string; password: string; database: string };
  /** How many connections there were. */
  connections: number = 0;
  /** Looks at what the client sends before it goes on; says what to do with the connection. */
  onClient: (data: Buffer) => 'pass' | 'cut' | 'stall' | 'cut after' = () => 'pass';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, connection: FaultyLink['connection']) {
    this.#server = server;
    this.connection = connection;
  }

  static async to(target: FaultyLink['connection']): Promise<FaultyLink> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const link = new FaultyLink(server, { ...target, host: '127.0.0.1', port });
    server.on('connection', (client) => link.#join(client, connect(join(target.host, `.s.PGSQL.${target.port}`))));
    return link;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    this.connections++;
    let isStalled = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (data) => {
      if (isStalled) return;
      const what = this.onClient(data);
      if (what === 'cut') return end();
      if (what === 'stall') isStalled = true;
      if (what === 'pass' || what === 'cut after') server.write(data);
      if (what === 'cut after') {
        // The server gets it, and its answer is lost.
        server.removeAllListeners('data');
        server.once('data', end);
      }
    });
    server.on('data', (data) => client.write(data));
  }
}
