import { createCipheriv, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** `stuck`: every byte is the same. `silent`: it takes requests and answers none. */
export type DeviceMode = 'good' | 'silent' | 'stuck';

const STUCK_AT = 0x5a;

/** A device of noise behind a Unix socket, in the EGD protocol: it gives what it is asked for, so nothing old waits. */
export class EgdDevice {
  mode: DeviceMode = 'good';
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #noise = createCipheriv('aes-256-ctr', randomBytes(32), randomBytes(16));

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(path: string): Promise<EgdDevice> {
    const device = new EgdDevice(path);
    await new Promise<void>((resolve, reject) => {
      device.#server.once('error', reject);
      device.#server.listen(path, resolve);
    });
    return device;
  }

  /** Its entry in a configuration of sources. */
  entry(name: string): object {
    return {
      name,
      kind: 'stream',
      path: this.path,
      protocol: 'egd',
      physical: true,
      quantum: false,
      simulated: true,
      raw: true,
      bitsPerSample: 8,
      minEntropyPerSample: 6,
      timeout: '4s',
    };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #serve(socket: Socket): void {
    let asked: number[] = [];
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (request) => {
      asked = [...asked, ...request];
      for (; asked.length >= 2; asked = asked.slice(2)) {
        const [, count = 0] = asked;
        if (this.mode !== 'silent') socket.write(Buffer.from([count, ...this.#bytes(count)]));
      }
    });
  }

  #bytes(count: number): Uint8Array {
    const zeros = new Uint8Array(count);
    return this.mode === 'stuck' ? zeros.fill(STUCK_AT) : this.#noise.update(zeros);
  }
}
