import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { SymmetraError } from '@symmetra/crypto';
import { NodeClient, createServer } from '@symmetra/rpc';
import type { AuditEntry, ClientOptions, Handlers, RpcServer, ServerOptions } from '@symmetra/rpc';
import { createLogger, systemClock } from '@symmetra/runtime';

const STOP_MS = 2000;

/** A line of the log, as it is written. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly method?: string;
}

const notExpected = async (): Promise<never> => {
  throw new SymmetraError('POLICY_REFUSED', 'the test does not expect this call');
};

/** Handlers that refuse everything; a test replaces what it is about. */
const refuseAll: Handlers = {
  getDescriptor: notExpected,
  putDescriptor: notExpected,
  offer: notExpected,
  confirm: notExpected,
  step: notExpected,
  commit: notExpected,
  prove: notExpected,
  open: notExpected,
  sealed: notExpected,
  signed: notExpected,
  link: () => {
    throw new SymmetraError('POLICY_REFUSED', 'the test does not expect a link');
  },
};

/** A server on a free port, with what it logged and audited; everything is closed by `close`. */
export class RpcWorld {
  readonly logs: LogLine[] = [];
  readonly audits: AuditEntry[] = [];
  readonly server: RpcServer;
  port = 0;
  readonly #closers: (() => void)[] = [];

  private constructor(options: Partial<ServerOptions>) {
    const output = {
      write: (line: string): void => {
        this.logs.push(JSON.parse(line) as LogLine);
      },
    };
    this.server = createServer({
      host: '127.0.0.1',
      port: 0,
      handlers: refuseAll,
      clock: systemClock,
      logger: createLogger({ level: 'debug', clock: systemClock, output }),
      onAudited: (entry) => this.audits.push(entry),
      ...options,
    });
  }

  static async start(handlers: Partial<Handlers>, options: Partial<ServerOptions> = {}): Promise<RpcWorld> {
    const world = new RpcWorld({ handlers: { ...refuseAll, ...handlers }, ...options });
    world.port = await world.server.start();
    return world;
  }

  client(options: ClientOptions = {}): NodeClient {
    const client = new NodeClient(`127.0.0.1:${this.port}`, { deadlineMs: 10_000, ...options });
    this.#closers.push(() => client.close());
    return client;
  }

  /** A peer that speaks HTTP/2 itself, and so need not keep to any rule of ours. */
  stranger(): Stranger {
    const stranger = new Stranger(this.port);
    this.#closers.push(() => stranger.close());
    return stranger;
  }

  async close(): Promise<void> {
    for (const closer of this.#closers) closer();
    await this.server.stop(STOP_MS);
  }
}

/** How a raw gRPC call ended. */
export interface RawOutcome {
  readonly status: string;
  readonly code: string | undefined;
  readonly body: Buffer;
}

/** A gRPC peer made of nothing but HTTP/2. */
export class Stranger {
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on('error', () => undefined);
  }

  /** Opens a stream of a method without sending or reading anything. */
  open(method: string): ClientHttp2Stream {
    const stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: method,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    return stream;
  }

  /** Sends one message and reads everything until the end. */
  async call(method: string, message: Uint8Array): Promise<RawOutcome> {
    const stream = this.open(method);
    return new Promise((resolve, reject) => {
      const body: Buffer[] = [];
      const headers: Record<string, unknown> = {};
      stream.on('response', (received) => {
        Object.assign(headers, received);
      });
      stream.on('trailers', (received) => {
        Object.assign(headers, received);
      });
      stream.on('data', (chunk: Buffer) => body.push(chunk));
      stream.on('close', () => {
        const code = headers['symmetra-code'];
        resolve({
          status: String(headers['grpc-status']),
          code: typeof code === 'string' ? code : undefined,
          body: Buffer.concat(body),
        });
      });
      stream.on('error', reject);
      stream.end(framed(message));
    });
  }

  close(): void {
    this.#session.destroy();
  }
}

/** A message with gRPC's prefix. */
export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Waits, for a bounded number of turns, until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  if (!condition()) throw new Error('what the test waits for did not happen');
}

/** An answer that never comes. */
export async function never(): Promise<never> {
  return new Promise(() => {
    // Nothing settles it.
  });
}

/** The stable code of the error that an action fails with, or OK. */
export async function outcomeCode(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'OK';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
  }
}
