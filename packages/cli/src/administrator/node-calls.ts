import { randomBytes } from 'node:crypto';
import { SymmetraError } from '@symmetra/crypto';
import { requestBytes, signRequest, verifyResponse } from '@symmetra/protocol';
import type { Descriptor, DescriptorNode } from '@symmetra/protocol';
import { METHODS, NodeClient, decode, encode } from '@symmetra/rpc';
import type { Message, MessageInput, PlaintextReply, PlaintextRequest, SignedMethod } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { AdministratorKey } from './administrator-key.js';

const NONCE_LENGTH = 32;
const ADMIN_SERVICE = '/symmetra.admin.v1.AdminService/';

/** A method of the administration service by its short name. */
export type AdminMethod = SignedMethod extends `${typeof ADMIN_SERVICE}${infer Name}` ? Name : never;

type FullName<Method extends AdminMethod> = Extract<SignedMethod, `${typeof ADMIN_SERVICE}${Method}`>;
/** The body of a request. */
export type AdminRequestBody<Method extends AdminMethod> = MessageInput<PlaintextRequest<FullName<Method>>>;
/** The body of a verified reply. */
export type AdminReplyBody<Method extends AdminMethod> = Message<PlaintextReply<FullName<Method>>>;

/** Signed calls to the nodes of one network, made as one administrator (CTL-6). */
export class NodeCalls {
  readonly descriptor: Descriptor;
  readonly #key: AdministratorKey;
  readonly #clock: Clock;
  readonly #clients = new Map<string, NodeClient>();

  constructor(descriptor: Descriptor, key: AdministratorKey, clock: Clock) {
    this.descriptor = descriptor;
    this.#key = key;
    this.#clock = clock;
  }

  /**
   * Calls one node, at the first of its addresses that answers, and verifies its signature over the reply.
   * @throws BAD_SIGNATURE when the reply is not the node's, the code that the node stated, and what
   *   {@link NodeClient} throws. What a node states in an error is not authenticated.
   */
  async call<Method extends AdminMethod>(
    node: DescriptorNode,
    name: Method,
    body: AdminRequestBody<Method>,
  ): Promise<AdminReplyBody<Method>> {
    let failure: unknown = new SymmetraError(
      'NODE_UNREACHABLE',
      'the descriptor gives no address of the node',
    );
    for (const address of node.addresses) {
      try {
        return await this.#callAt(address, node, name, body);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Ends the connections. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async #callAt<Method extends AdminMethod>(
    address: string,
    node: DescriptorNode,
    name: Method,
    body: AdminRequestBody<Method>,
  ): Promise<AdminReplyBody<Method>> {
    const method = `${ADMIN_SERVICE}${name}` as FullName<Method>;
    const { plaintext } = METHODS[method];
    const { networkId } = this.descriptor;
    const unsigned = {
      node: node.id,
      body: encode(plaintext.request, body as never),
      nonce: new Uint8Array(randomBytes(NONCE_LENGTH)),
      timeMs: this.#clock.now(),
    };
    const request = signRequest(networkId, method, unsigned, this.#key.secretKey, this.#key.publicKey);
    const reply = await this.#clientOf(address).signed(method, request);
    verifyResponse(requestBytes(networkId, method, unsigned), reply.body, reply.signature, node.signingKey);
    return decode(plaintext.reply, reply.body) as AdminReplyBody<Method>;
  }

  #clientOf(address: string): NodeClient {
    const client = this.#clients.get(address) ?? new NodeClient(address);
    this.#clients.set(address, client);
    return client;
  }
}

/** Whether a call certainly did not reach the node. */
function isUnreachable(error: unknown): boolean {
  return error instanceof SymmetraError && error.code === 'NODE_UNREACHABLE';
}
