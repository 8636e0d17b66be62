import { SymmetraError } from '@symmetra/crypto';
import { OPEN_CALLS, decode, encode, publicCode } from '@symmetra/rpc';
import type {
  ClientOptions,
  Message,
  MessageInput,
  MessageName,
  NodeClient,
  NodeConnection,
  NodeLink,
  OpenCall,
  OpenReply,
  OpenRequestInput,
  ServingStatus,
  SignedMethod,
} from '@symmetra/rpc';
import type { Caller, Lines, OpenDoor } from './lines.js';
import { SimulatedLink } from './link.js';

const DEADLINE_MS = 10_000;
const HEALTH_RESPONSE = 'grpc.health.v1.HealthCheckResponse';
const SIGNED_REQUEST = 'symmetra.admin.v1.SignedRequest';
const SIGNED_RESPONSE = 'symmetra.admin.v1.SignedResponse';

type Ask = (door: OpenDoor, request: Uint8Array) => Promise<Uint8Array>;

/** What devices and administrators use of a connection. */
export type CallerConnection = NodeConnection & Pick<NodeClient, 'signed'>;

/** The connection of a device or an administrator to one address. What is encoded travels, nothing else. */
export function simulatedConnection(
  lines: Lines,
  caller: Caller,
  address: string,
  options: ClientOptions,
): CallerConnection {
  const connection = new Connection(lines, caller, address, options);
  const names = Object.keys(OPEN_CALLS) as OpenCall[];
  const open = names.map((name) => [name, async (request: object = {}) => connection.open(name, request)]);
  return {
    // One name picks the types of request and reply together, which the compiler does not see.
    ...(Object.fromEntries(open) as Pick<NodeConnection, OpenCall>),
    signed: async (method, request) => connection.signed(method, request),
    health: async () => connection.health(),
    connectLink: () => connection.connectLink(),
    close: () => connection.close(),
  };
}

class Connection {
  readonly #lines: Lines;
  readonly #caller: Caller;
  readonly #address: string;
  readonly #deadlineMs: number;
  readonly #links = new Set<SimulatedLink>();
  #closed = false;

  constructor(lines: Lines, caller: Caller, address: string, options: ClientOptions) {
    this.#lines = lines;
    this.#caller = caller;
    this.#address = address;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  }

  async signed(
    method: SignedMethod,
    request: MessageInput<typeof SIGNED_REQUEST>,
  ): Promise<Message<typeof SIGNED_RESPONSE>> {
    const info = { method, peer: this.#caller.name };
    const reply = await this.#carry(encode(SIGNED_REQUEST, request), async ({ handlers }, bytes) =>
      encode(SIGNED_RESPONSE, await handlers.signed(method, decode(SIGNED_REQUEST, bytes), info)),
    );
    return decode(SIGNED_RESPONSE, reply);
  }

  async health(): Promise<ServingStatus> {
    const reply = await this.#carry(new Uint8Array(0), async ({ isServing }) =>
      encode(HEALTH_RESPONSE, { status: isServing ? 'SERVING' : 'NOT_SERVING' }),
    );
    return decode(HEALTH_RESPONSE, reply).status;
  }

  connectLink(): NodeLink {
    this.#checkOpen();
    const link = new SimulatedLink(this.#lines, this.#caller, this.#address);
    this.#links.add(link);
    link.client.onClose(() => this.#links.delete(link));
    return link.client;
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links) link.client.cancel();
  }

  async open<Name extends OpenCall>(name: Name, request: OpenRequestInput<Name>): Promise<OpenReply<Name>> {
    const call = OPEN_CALLS[name];
    const info = { method: call.method, peer: this.#caller.name };
    const bytes = await this.#carry(
      encode(call.request as MessageName, request as never),
      async ({ handlers }, arrived) => {
        const handler = handlers[name] as (received: object, about: typeof info) => Promise<object>;
        return encode(
          call.reply as MessageName,
          (await handler(decode(call.request, arrived), info)) as never,
        );
      },
    );
    return decode(call.reply as MessageName, bytes) as OpenReply<Name>;
  }

  /** Brings a request to the door and the reply back, as far as the line allows. */
  async #carry(request: Uint8Array, ask: Ask): Promise<Uint8Array> {
    this.#checkOpen();
    const { timeline } = this.#lines;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      const late = timeline.after(this.#deadlineMs, () => {
        reject(new SymmetraError('DEADLINE_EXCEEDED', 'the node did not answer in time'));
      });
      const settle = (outcome: Uint8Array | SymmetraError): void => {
        late();
        if (outcome instanceof SymmetraError) reject(outcome);
        else resolve(outcome);
      };
      this.#set(() => this.#arrive(request, ask, settle));
    });
    return this.#caller.life.lasting(answer);
  }

  #arrive(request: Uint8Array, ask: Ask, settle: (outcome: Uint8Array | SymmetraError) => void): void {
    const door = this.#lines.listener(this.#address);
    if (door === undefined) {
      this.#set(() => settle(unreachable(this.#address)));
      return;
    }
    if (this.#lines.isCut(this.#caller.name, door.node)) return;
    if (this.#lines.breaks()) {
      this.#lines.note('call-lost');
      this.#set(() => settle(unreachable(this.#address)));
      return;
    }
    door.life.onEnd(() => this.#set(() => settle(unreachable(this.#address))));
    door.life.reach(() => void this.#answer(door, request, ask, settle));
  }

  async #answer(
    door: OpenDoor,
    request: Uint8Array,
    ask: Ask,
    settle: (outcome: Uint8Array | SymmetraError) => void,
  ): Promise<void> {
    const outcome = await ask(door, request).catch((error: unknown) => statedError(error));
    if (!door.life.lasts || this.#lines.isCut(this.#caller.name, door.node)) return;
    const lost = this.#lines.breaks();
    if (lost) this.#lines.note('reply-lost');
    this.#set(() => settle(lost ? unreachable(this.#address) : outcome));
  }

  /** Has something happen at the other end. */
  #set(happen: () => void): void {
    this.#lines.timeline.after(this.#lines.way(), happen);
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new SymmetraError('CLIENT_CLOSED', 'the client was closed', { address: this.#address });
  }
}

/** An error as it leaves a node. */
function statedError(error: unknown): SymmetraError {
  const code = publicCode(error);
  if (code === 'INTERNAL') return new SymmetraError(code, 'the node failed', {}, { cause: error });
  return new SymmetraError(code, (error as SymmetraError).message);
}

/** The error of a connection that does not stand. */
function unreachable(address: string): SymmetraError {
  return new SymmetraError('NODE_UNREACHABLE', 'the node can not be reached', { address });
}
