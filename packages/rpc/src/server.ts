import { Server, ServerCredentials } from '@grpc/grpc-js';
import type {
  ConnectionInjector,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import { Admission } from './admission.js';
import type { AuditHook } from './audit.js';
import type { RpcClock } from './clock.js';
import { asBuffer } from './codec.js';
import type { Message } from './codec.js';
import { toStatus } from './errors.js';
import { handlerOf } from './handlers.js';
import type { Handlers, UntypedHandler } from './handlers.js';
import { Health } from './health.js';
import { LinkService } from './link-service.js';
import type { LinkCounts } from './link-service.js';
import type { LinkBounds } from './link-stream.js';
import { Listener } from './listener.js';
import type { MethodDescriptor } from './loader.js';
import type { RpcLogger } from './logger.js';
import { MAX_REQUEST_BYTES, methodPolicy } from './methods.js';
import type { MethodPolicy } from './method-policy.js';
import { addressKey } from './peer-address.js';
import type { Rate } from './rate.js';
import { reflectionServices } from './reflection.js';
import { servedMethods } from './served.js';
import { answerUnary } from './unary.js';
import type { UnaryChain } from './unary.js';

const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
const HEALTH_WATCH = '/grpc.health.v1.Health/Watch';
const LINK_CONNECT = '/symmetra.link.v1.LinkService/Connect';

const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const MAX_IDLE_CONNECTION_MS = 300_000;
const MAX_STREAMS_PER_CONNECTION = 256;

const DEFAULT_RATE_PER_ADDRESS: Rate = { perSecond: 20_000, burst: 40_000 };
const DEFAULT_LINKS: LinkBounds & LinkCounts = {
  maxLinks: 20_000,
  maxLinksPerAddress: 5000,
  maxPendingBytes: 4 * 1024 * 1024,
  maxCallsInFlight: 1024,
  firstFrameMs: 10_000,
  closeGraceMs: 5000,
};

type RawHandler =
  | handleUnaryCall<Buffer, Buffer>
  | handleServerStreamingCall<Buffer, Buffer>
  | handleBidiStreamingCall<Buffer, Buffer>;

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;

type StreamCall = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<unknown, unknown>;

/** How a server is built. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly handlers: Handlers;
  readonly clock: RpcClock;
  readonly logger: RpcLogger;
  /** Longest message that is received at all, in bytes; default 320 KiB. The method table is stricter. */
  readonly maxMessageBytes?: number;
  /** Offers the reflection services; default false. */
  readonly reflection?: boolean;
  readonly onAudited?: AuditHook;
  /** Of all methods together, per peer address; default 20,000 a second. */
  readonly ratePerAddress?: Rate;
  readonly links?: Partial<LinkBounds & LinkCounts>;
  /** The method table; must throw METHOD_NOT_ALLOWED for what it lacks. */
  readonly policyOf?: (fullName: string) => MethodPolicy;
}

/** The gRPC server of a node. Every call passes the method table before anything else. */
export class RpcServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #listener: Listener;
  readonly #health: Health;
  readonly #links: LinkService;
  readonly #chain: UnaryChain;
  readonly #admission: Admission;
  #injector: ConnectionInjector | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { clock, logger, handlers, onAudited = () => undefined } = options;
    this.#options = options;
    this.#server = new Server({
      'grpc.max_receive_message_length': options.maxMessageBytes ?? MAX_REQUEST_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
      'grpc.max_connection_idle_ms': MAX_IDLE_CONNECTION_MS,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.enable_channelz': 0,
    });
    this.#listener = new Listener(
      (socket) => this.#injector?.injectConnection(socket),
      (error) => logger.warn({ err: error }, 'A connection could not be accepted.'),
    );
    this.#admission = new Admission(
      options.policyOf ?? methodPolicy,
      options.ratePerAddress ?? DEFAULT_RATE_PER_ADDRESS,
      () => clock.monotonic(),
    );
    const descriptors = servedMethods();
    this.#health = new Health(descriptors.map((descriptor) => descriptor.service));
    const links = { ...DEFAULT_LINKS, ...options.links };
    this.#links = new LinkService(
      {
        admission: this.#admission,
        clock,
        logger,
        onAudited,
        bounds: links,
        cutConnection: (peer) => this.#listener.cut(peer),
      },
      links,
      (stream) => handlers.link(stream),
    );
    this.#chain = {
      admission: this.#admission,
      onAudited,
      logger,
      handlerOf: (method, policy) => this.#handlerOf(method, policy),
    };
    for (const descriptor of descriptors) this.#register(descriptor);
    if (options.reflection === true) this.#registerReflection();
  }

  /**
   * Begins to listen and returns the port. Health says NOT_SERVING until {@link RpcServer.setServing}.
   * @throws SymmetraError PORT_IN_USE, LISTEN_FAILED.
   */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    return this.#listener.listen(host, port);
  }

  /** What the health service says. */
  setServing(serving: boolean): void {
    this.#health.setServing(serving);
  }

  /**
   * Takes no more connections, closes all links with NODE_STOPPING, lets unary calls finish for at
   * most `deadlineMs`, then ends what is left. Doing it again waits for the same end.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#health.setServing(false);
    const ended = this.#listener.close();
    this.#links.closeAll();
    this.#health.close();
    // From Node 22 on it says at once that it is done, while calls are under way: the connections tell.
    this.#server.tryShutdown(() => undefined);
    const timer = this.#options.clock.setTimer(deadlineMs, () => {
      this.#server.forceShutdown();
      this.#listener.cutAll();
    });
    await ended;
    timer.cancel();
  }

  #handlerOf(method: string, policy: MethodPolicy): UntypedHandler {
    if (method !== HEALTH_CHECK) return handlerOf(this.#options.handlers, method, policy.kind);
    return async (request) => {
      const { service } = request as Message<'grpc.health.v1.HealthCheckRequest'>;
      return { status: this.#health.check(service) };
    };
  }

  #register(descriptor: MethodDescriptor): void {
    const { method } = descriptor;
    if (method === LINK_CONNECT) {
      this.#registerRaw(method, 'bidi', (call: ServerDuplexStream<Buffer, Buffer>) => {
        this.#links.connect(method, call);
      });
    } else if (method === HEALTH_WATCH) {
      this.#registerRaw(method, 'serverStream', (call: ServerWritableStream<Buffer, Buffer>) => {
        this.#admitStream(method, call.request.length, call, () => this.#health.watch(call));
      });
    } else {
      this.#registerRaw(method, 'unary', (call: UnaryCall, callback: sendUnaryData<Buffer>) => {
        void this.#answer(descriptor, call, callback);
      });
    }
  }

  async #answer(
    descriptor: MethodDescriptor,
    call: UnaryCall,
    callback: sendUnaryData<Buffer>,
  ): Promise<void> {
    let reply: Uint8Array;
    try {
      reply = await answerUnary(this.#chain, descriptor, call.request, call.getPeer());
    } catch (error) {
      callback(toStatus(error));
      return;
    }
    callback(null, asBuffer(reply));
  }

  /** Messages stay bytes until the call is admitted. */
  #registerRaw(method: string, type: string, handler: RawHandler): void {
    this.#server.register(method, handler, identity, identity, type);
  }

  #registerReflection(): void {
    for (const { definition, implementation } of reflectionServices()) {
      for (const [name, method] of Object.entries(definition)) {
        const answer = implementation[name] as handleBidiStreamingCall<unknown, unknown>;
        const handler = (call: ServerDuplexStream<unknown, unknown>): void => {
          this.#admitStream(method.path, 0, call, () => answer(call));
        };
        this.#server.register(
          method.path,
          handler,
          method.responseSerialize,
          method.requestDeserialize,
          'bidi',
        );
      }
    }
  }

  #admitStream(method: string, bytes: number, call: StreamCall, answer: () => void): void {
    try {
      this.#admission.admit(method, bytes, addressKey(call.getPeer()));
      answer();
    } catch (error) {
      call.emit('error', toStatus(error));
    }
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}

/** How a node is reached from outside: what it uses of {@link RpcServer}. */
export type Door = Pick<RpcServer, 'start' | 'setServing' | 'stop'>;

/** A server that is not listening yet. */
export function createServer(options: ServerOptions): RpcServer {
  return new RpcServer(options);
}
