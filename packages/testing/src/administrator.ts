import { randomBytes } from 'node:crypto';
import { Secret, SymmetraError, sha256 } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import {
  EMPTY_LOG,
  encodeEvent,
  encodeToken,
  nodeKemKey,
  nodeKeyHash,
  nodeTokenSecret,
  requestBytes,
  sealTokenSecret,
  signEvent,
  signRequest,
  tokenIdOf,
  verifyResponse,
} from '@symmetra/protocol';
import type { ControlBody, Descriptor, LogHead, SignedEvent } from '@symmetra/protocol';
import { METHODS, NodeClient, decode, encode } from '@symmetra/rpc';
import type { Message, MessageInput, PlaintextReply, PlaintextRequest, SignedMethod } from '@symmetra/rpc';

const DAY_MS = 24 * 3_600_000;

/** What a test may change of a signed request before it is sent. */
export interface RequestOverrides {
  readonly timeMs?: number;
  readonly nonce?: Uint8Array;
  /** The node that the request names, when it is not the one that is called. */
  readonly node?: string;
  readonly signature?: Uint8Array;
  /** That of one process, where a node has several; the first one's when left out. */
  readonly address?: string;
}

/** What an administrator needs of the world. */
export interface AdministratorPorts {
  readonly connect: (address: string) => Pick<NodeClient, 'signed' | 'close'>;
  readonly random: (length: number) => Uint8Array;
}

const SYSTEM: AdministratorPorts = {
  connect: (address) => new NodeClient(address),
  random: (length) => new Uint8Array(randomBytes(length)),
};

/** An administrator of a test: signs events and requests, and issues tokens. */
export class TestAdministrator {
  readonly descriptor: Descriptor;
  readonly #rootPublicKey: Uint8Array;
  readonly #key: SignatureKeyPair;
  readonly #now: () => number;
  readonly #ports: AdministratorPorts;

  /** @param now the clock by which requests are stamped, milliseconds since 1970. */
  constructor(
    descriptor: Descriptor,
    rootPublicKey: Uint8Array,
    key: SignatureKeyPair,
    now: () => number,
    ports = SYSTEM,
  ) {
    this.descriptor = descriptor;
    this.#rootPublicKey = rootPublicKey;
    this.#key = key;
    this.#now = now;
    this.#ports = ports;
  }

  /** Signs the event that follows a head. */
  sign(body: ControlBody, head: LogHead): SignedEvent {
    const event = encodeEvent({
      networkId: this.descriptor.networkId,
      number: head.number + 1,
      previousHash: head.hash,
      timeMs: this.#now(),
      body,
    });
    return { event, signatures: [signEvent(event, this.#key.secretKey, this.#key.publicKey)] };
  }

  /** Appends an event at one node; the reply holds a receipt for each node. */
  async submit(
    body: ControlBody,
    nodeId = this.#firstNode(),
  ): Promise<Message<'symmetra.admin.v1.SubmitResponse'>> {
    const { event, signatures } = this.sign(body, await this.head(nodeId));
    return this.call(nodeId, '/symmetra.admin.v1.AdminService/Submit', {
      event: { event, signatures: [...signatures] },
    });
  }

  async head(nodeId = this.#firstNode(), overrides: RequestOverrides = {}): Promise<LogHead> {
    const { number, head } = await this.call(
      nodeId,
      '/symmetra.admin.v1.AdminService/GetHead',
      {},
      overrides,
    );
    return number === 0 ? EMPTY_LOG : { number, hash: Uint8Array.from(head) };
  }

  /** Issues a token: its text and the event that makes nodes accept it. */
  issueToken(options: { uses?: number; expiresMs?: number; hints?: readonly string[] } = {}): {
    readonly text: string;
    readonly body: ControlBody;
  } {
    const { networkId, nodes } = this.descriptor;
    const { uses = 1, expiresMs = this.#now() + DAY_MS } = options;
    const secret = Secret.of('TokenSecret', this.#ports.random(32));
    const tokenId = tokenIdOf(networkId, secret);
    const secrets = nodes.map((node) => {
      const share = nodeTokenSecret(networkId, secret, node.id, nodeKeyHash(node));
      const coins = this.#ports.random(32);
      return {
        nodeId: node.id,
        ...sealTokenSecret(networkId, tokenId, node.id, nodeKemKey(node, 1), share, coins),
      };
    });
    const hints = options.hints ?? nodes.flatMap((node) => node.addresses);
    const text = encodeToken({
      networkId,
      secret,
      rootKeyHash: sha256(this.#rootPublicKey),
      hints,
      expiresMs,
    });
    const tags = [{ key: 'site', value: 'test' }];
    return { text, body: { kind: 'token-create', tokenId, account: 'test', uses, expiresMs, tags, secrets } };
  }

  /** A token that the nodes know. */
  async createToken(options: { uses?: number; expiresMs?: number } = {}): Promise<string> {
    const { text, body } = this.issueToken(options);
    await this.submit(body);
    return text;
  }

  /** Makes a signed call and verifies the node's signature over the reply. */
  async call<Method extends SignedMethod>(
    nodeId: string,
    method: Method,
    body: MessageInput<PlaintextRequest<Method>>,
    overrides: RequestOverrides = {},
  ): Promise<Message<PlaintextReply<Method>>> {
    const { networkId } = this.descriptor;
    const { plaintext } = METHODS[method];
    const { signature, address, ...fields } = overrides;
    const unsigned = {
      node: nodeId,
      body: encode(plaintext.request, body as never),
      nonce: this.#ports.random(32),
      timeMs: this.#now(),
      ...fields,
    };
    const request = signRequest(networkId, method, unsigned, this.#key.secretKey, this.#key.publicKey);
    const reply = await this.send(nodeId, method, { ...request, ...(signature && { signature }) }, address);
    const node = this.descriptor.nodes.find(({ id }) => id === nodeId);
    verifyResponse(
      requestBytes(networkId, method, unsigned),
      reply.body,
      reply.signature,
      node?.signingKey ?? reply.body,
    );
    return decode(plaintext.reply, reply.body) as Message<PlaintextReply<Method>>;
  }

  /** Sends a signed request as it is. */
  async send(
    nodeId: string,
    method: SignedMethod,
    request: MessageInput<'symmetra.admin.v1.SignedRequest'>,
    address = this.descriptor.nodes.find(({ id }) => id === nodeId)?.addresses[0],
  ): Promise<Message<'symmetra.admin.v1.SignedResponse'>> {
    if (address === undefined) throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such node');
    const client = this.#ports.connect(address);
    try {
      return await client.signed(method, request);
    } finally {
      client.close();
    }
  }

  #firstNode(): string {
    return this.descriptor.nodes[0]?.id ?? '';
  }
}
