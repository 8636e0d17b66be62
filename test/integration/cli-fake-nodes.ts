import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signatureKeygen, suites, toBase64Url, toHex } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import {
  EMPTY_LOG,
  decodeEvent,
  eventHash,
  requestBytes,
  signDescriptor,
  signResponse,
} from '@symmetra/protocol';
import type { Descriptor, LogHead } from '@symmetra/protocol';
import { METHODS, decode, encode } from '@symmetra/rpc';
import type { Handlers, Message, SignedMethod } from '@symmetra/rpc';
import { RpcWorld } from '../contract/rpc-fixture.js';

const SUBMIT = '/symmetra.admin.v1.AdminService/Submit';
const GET_HEAD = '/symmetra.admin.v1.AdminService/GetHead';
const GET_DEVICE = '/symmetra.admin.v1.AdminService/GetDevice';

type Submission = Message<'symmetra.admin.v1.SubmitRequest'>;
type Receipt = { readonly node: string; readonly applied: boolean; readonly code?: string };

/** A node that keeps a log, and otherwise does what a test tells it to. */
export class FakeNode {
  readonly id: string;
  readonly signing: SignatureKeyPair = signatureKeygen(new Uint8Array(randomBytes(32)));
  /** Events that were accepted, and everything that was submitted. */
  head: LogHead = EMPTY_LOG;
  readonly submitted: Uint8Array[] = [];
  /** Called before an event is accepted; may refuse it. */
  beforeSubmit: () => Promise<void> = async () => undefined;
  receipts: readonly Receipt[] = [];
  /** A node whose replies are signed with a key that is not its own. */
  forges = false;
  address = '';
  readonly #networkId: Uint8Array;
  #world: RpcWorld | undefined;

  constructor(id: string, networkId: Uint8Array) {
    this.id = id;
    this.#networkId = networkId;
  }

  async start(): Promise<void> {
    const signed: Handlers['signed'] = async (method, request) => {
      const body = await this.#answer(method, request.body);
      const bytes = requestBytes(this.#networkId, method, request);
      const { secretKey } = this.forges ? signatureKeygen(new Uint8Array(32)) : this.signing;
      return { body, signature: signResponse(bytes, body, secretKey) };
    };
    this.#world = await RpcWorld.start({ signed });
    this.address = `127.0.0.1:${this.#world.port}`;
  }

  async stop(): Promise<void> {
    await this.#world?.close();
  }

  async #answer(method: SignedMethod, body: Uint8Array): Promise<Uint8Array> {
    const { plaintext } = METHODS[method];
    if (method === GET_HEAD) {
      return encode(METHODS[GET_HEAD].plaintext.reply, {
        number: this.head.number,
        head: this.head.hash,
      });
    }
    if (method === SUBMIT) {
      const { event } = decode(plaintext.request, body) as Submission;
      const bytes = new Uint8Array(event?.event ?? []);
      this.submitted.push(bytes);
      await this.beforeSubmit();
      const { number } = decodeEvent(bytes);
      this.head = { number, hash: eventHash(bytes) };
      return encode(METHODS[SUBMIT].plaintext.reply, { number, receipts: [...this.receipts] });
    }
    return encode(METHODS[GET_DEVICE].plaintext.reply, { device: { name: 'alice' } });
  }
}

/** Three fake nodes, and the directory that an administrator has of their network. */
export async function fakeNetwork(data: string): Promise<readonly [FakeNode, FakeNode, FakeNode]> {
  const networkId = new Uint8Array(randomBytes(16));
  const nodes = ['node-1', 'node-2', 'node-3'].map((id) => new FakeNode(id, networkId));
  for (const node of nodes) {
    await node.start();
    node.receipts = nodes.map(({ id }) => ({ node: id, applied: true }));
  }
  const seed = new Uint8Array(randomBytes(32));
  const root = signatureKeygen(new Uint8Array(randomBytes(32)));
  const descriptor: Descriptor = {
    networkId,
    version: 1,
    threshold: 2,
    suites: [1],
    nodes: nodes.map((node) => ({
      id: node.id,
      addresses: [node.address],
      operator: 'test',
      signingKey: node.signing.publicKey,
      kemKeys: [{ suiteId: 1, publicKey: kemKey(node.id) }],
    })),
    administrators: [signatureKeygen(seed).publicKey],
    administratorThreshold: 1,
  };
  const { signature } = signDescriptor(descriptor, root.secretKey, root.publicKey);
  await mkdir(data);
  await writeFile(join(data, 'admin.key'), seed, { mode: 0o600 });
  await writeFile(
    join(data, 'network.json'),
    JSON.stringify(readable(descriptor, signature, root.publicKey)),
  );
  return nodes as unknown as readonly [FakeNode, FakeNode, FakeNode];
}

function kemKey(id: string): Uint8Array {
  const { kem } = suites.get(1);
  const seed = createHash('sha512').update(id).digest().subarray(0, kem.seedLength);
  return kem.keygen(new Uint8Array(seed)).publicKey;
}

/** The form of network.json. */
function readable(descriptor: Descriptor, signature: Uint8Array, rootKey: Uint8Array): object {
  return {
    format: 'symmetra-network/1',
    descriptor: {
      ...descriptor,
      networkId: toHex(descriptor.networkId),
      nodes: descriptor.nodes.map((node) => ({
        ...node,
        signingKey: toBase64Url(node.signingKey),
        kemKeys: node.kemKeys.map(({ suiteId, publicKey }) => ({
          suite: suiteId,
          key: toBase64Url(publicKey),
        })),
      })),
      administrators: descriptor.administrators.map(toBase64Url),
    },
    signature: toBase64Url(signature),
    rootKey: toBase64Url(rootKey),
  };
}
