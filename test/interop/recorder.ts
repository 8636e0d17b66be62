import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A TCP bridge to a port that keeps what the server there sends, connection by connection. */
export class Recorder {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sent: Buffer[][];

  private constructor(server: Server, sent: Buffer[][]) {
    this.#server = server;
    this.#sent = sent;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#sockets.add(socket));
  }

  /** Begins to listen, at a free port of the loopback interface. */
  static async start(target: number): Promise<Recorder> {
    const sent: Buffer[][] = [];
    const server = createServer((near) => bridge(near, connect(target, '127.0.0.1'), sent));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Recorder(server, sent);
  }

  /** What the server sent in each connection since the last time, in hexadecimal. */
  take(): readonly string[] {
    return this.#sent.splice(0).map((chunks) => Buffer.concat(chunks).toString('hex'));
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

function bridge(near: Socket, far: Socket, sent: Buffer[][]): void {
  const chunks: Buffer[] = [];
  sent.push(chunks);
  far.on('data', (chunk) => chunks.push(chunk));
  near.pipe(far).pipe(near);
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => other.destroySoon());
  }
}
