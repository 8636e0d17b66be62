import { Client, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { SymmetraError } from '@symmetra/crypto';
import { ClientLink } from './client-link.js';
import { MAX_MESSAGE_BYTES, asBuffer, decode, encode } from './codec.js';
import type { Message, MessageInput, MessageName } from './codec.js';
import { fromStatus } from './errors.js';
import type { ServingStatus } from './health.js';
import { METHODS } from './methods.js';
import type { SealedMethod, SignedMethod } from './methods.js';
import { OPEN_CALLS } from './open-calls.js';
import type { OpenCall, OpenReply, OpenRequestInput } from './open-calls.js';

const DEFAULT_DEADLINE_MS = 10_000;
/** A node that is cut off is noticed within the sum of both, also by who only listens. One ping takes 17 bytes each way. */
const KEEPALIVE_MS = 4000;
const KEEPALIVE_TIMEOUT_MS = 6000;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5000;

/** How a client behaves. */
export interface ClientOptions {
  /** Milliseconds within which a unary call must be answered; default 10,000. */
  readonly deadlineMs?: number;
  /** Longest message that is received, in bytes; default 4 MiB. */
  readonly maxMessageBytes?: number;
}

/**
 * One connection to one node. It connects when it is first used and again after a failure, with
 * increasing pauses; a call that finds no connection fails with NODE_UNREACHABLE. Every method
 * fails with the node's stable code, or NODE_UNREACHABLE, DEADLINE_EXCEEDED, TRANSPORT_FAILED,
 * MESSAGE_TOO_LARGE, BAD_MESSAGE, CLIENT_CLOSED. No outcome of this layer is authenticated.
 */
export class NodeClient {
  readonly address: string;
  readonly #client: Client;
  readonly #deadlineMs: number;
  readonly #links = new Set<ClientLink>();
  #closed = false;

  /** @param address host:port */
  constructor(address: string, options: ClientOptions = {}) {
    this.address = address;
    this.#deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': FIRST_BACKOFF_MS,
      'grpc.max_reconnect_backoff_ms': MAX_BACKOFF_MS,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
    });
  }

  /** The newest descriptor that the node holds (CTL-1). */
  async getDescriptor(): Promise<OpenReply<'getDescriptor'>> {
    return this.#open('getDescriptor', {});
  }

  /** Brings a newer descriptor of the network (CTL-2). */
  async putDescriptor(request: OpenRequestInput<'putDescriptor'>): Promise<OpenReply<'putDescriptor'>> {
    return this.#open('putDescriptor', request);
  }

  /** The enrolment offer (ENR-2). */
  async offer(request: OpenRequestInput<'offer'>): Promise<OpenReply<'offer'>> {
    return this.#open('offer', request);
  }

  /** The enrolment confirmation (ENR-5). */
  async confirm(request: OpenRequestInput<'confirm'>): Promise<OpenReply<'confirm'>> {
    return this.#open('confirm', request);
  }

  /** R1 of a ratchet step (ATK-2). */
  async step(request: OpenRequestInput<'step'>): Promise<OpenReply<'step'>> {
    return this.#open('step', request);
  }

  /** R3 of a ratchet step (ATK-5). */
  async commit(request: OpenRequestInput<'commit'>): Promise<OpenReply<'commit'>> {
    return this.#open('commit', request);
  }

  /** The answer to a challenge (ATK-9). */
  async prove(request: OpenRequestInput<'prove'>): Promise<OpenReply<'prove'>> {
    return this.#open('prove', request);
  }

  /** Opens a session (SES-1). */
  async open(request: OpenRequestInput<'open'>): Promise<OpenReply<'open'>> {
    return this.#open('open', request);
  }

  /** One sealed call outside a link. */
  async sealed(
    method: SealedMethod,
    request: MessageInput<'symmetra.sealed.v1.Sealed'>,
  ): Promise<Message<'symmetra.sealed.v1.Sealed'>> {
    return this.#unary(method, 'symmetra.sealed.v1.Sealed', request, 'symmetra.sealed.v1.Sealed');
  }

  /** One signed administrative call. */
  async signed(
    method: SignedMethod,
    request: MessageInput<'symmetra.admin.v1.SignedRequest'>,
  ): Promise<Message<'symmetra.admin.v1.SignedResponse'>> {
    return this.#unary(
      method,
      'symmetra.admin.v1.SignedRequest',
      request,
      'symmetra.admin.v1.SignedResponse',
    );
  }

  /** What the node's health service says of a service; the empty name means the whole node. */
  async health(service = ''): Promise<ServingStatus> {
    const reply = await this.#unary(
      '/grpc.health.v1.Health/Check',
      'grpc.health.v1.HealthCheckRequest',
      { service },
      'grpc.health.v1.HealthCheckResponse',
    );
    return reply.status;
  }

  /** Opens a link; a failure to connect is told by its `onClose`. @throws SymmetraError CLIENT_CLOSED */
  connectLink(): ClientLink {
    this.#checkOpen();
    const stream = this.#client.makeBidiStreamRequest(
      '/symmetra.link.v1.LinkService/Connect',
      (frame: Buffer) => frame,
      (frame: Buffer) => frame,
    );
    const link = new ClientLink(stream, this.address);
    this.#links.add(link);
    link.onClose(() => this.#links.delete(link));
    return link;
  }

  /** Ends all links at once and the connection when the last call is answered. */
  close(): void {
    this.#closed = true;
    for (const link of this.#links) link.cancel();
    this.#client.close();
  }

  async #open<Name extends OpenCall>(name: Name, request: OpenRequestInput<Name>): Promise<OpenReply<Name>> {
    const call = OPEN_CALLS[name];
    // The compiler does not see that one name picks the types of request and reply together.
    return (await this.#unary(call.method, call.request, request as never, call.reply)) as OpenReply<Name>;
  }

  async #unary<Request extends MessageName, Reply extends MessageName>(
    method: keyof typeof METHODS,
    requestType: Request,
    request: MessageInput<Request>,
    replyType: Reply,
  ): Promise<Message<Reply>> {
    this.#checkOpen();
    const bytes = encode(requestType, request);
    const { maxBytes } = METHODS[method];
    if (bytes.length > maxBytes) {
      throw new SymmetraError('MESSAGE_TOO_LARGE', 'the message is longer than the method accepts', {
        bytes: bytes.length,
        maxBytes,
      });
    }
    const reply = await this.#call(method, bytes);
    return decode(replyType, reply);
  }

  async #call(method: string, bytes: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method,
        asBuffer,
        (reply: Buffer) => reply,
        bytes,
        // gRPC compares a deadline with the system's clock, so that no other clock can make one.
        { deadline: Date.now() + this.#deadlineMs },
        (error: ServiceError | null, reply?: Buffer) => {
          if (error !== null) reject(fromStatus(error, this.address));
          else resolve(reply ?? Buffer.alloc(0));
        },
      );
    });
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new SymmetraError('CLIENT_CLOSED', 'the client was closed', { address: this.address });
  }
}
