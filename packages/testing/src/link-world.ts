import { LinkedBus } from '@symmetra/bus';
import type { LinkIdentity, LinkedBusOptions, Wire } from '@symmetra/bus';
import { Secret, suiteTable, suites } from '@symmetra/crypto';
import { nodeKeyHash } from '@symmetra/protocol';
import type { ProtocolContext } from '@symmetra/protocol';
import { CHEAP_SUITE_ID, cheapSuite } from './cheap-suite.js';
import { ManualClock } from './clock.js';
import { MemoryWires } from './memory-wires.js';
import { Prng } from './prng.js';

const INSTANCE_BYTES = 4;

/** What a test sets of a bus by itself. */
export type LinkedBusSettings = Partial<
  Pick<
    LinkedBusOptions,
    | 'psk'
    | 'qkd'
    | 'renewMs'
    | 'onLink'
    | 'onRefused'
    | 'onFailure'
    | 'peers'
    | 'identity'
    | 'suiteId'
    | 'isGuest'
  >
>;

/** Nodes with keys, one clock, wires in memory, and everything drawn from one seed: a world for linked buses. */
export class LinkWorld {
  readonly clock = new ManualClock();
  readonly wires = new MemoryWires();
  readonly context: ProtocolContext;
  readonly suiteId: number;
  /** Codes of what was refused, with the node at which it was. */
  readonly refusals: string[] = [];
  readonly #prng: Prng;
  readonly #identities = new Map<string, LinkIdentity>();

  /** @param suiteId the suite of the links; the cheap one when left out */
  constructor(seed: string, suiteId = CHEAP_SUITE_ID) {
    this.#prng = new Prng(seed);
    this.suiteId = suiteId;
    this.context = {
      networkId: this.#prng.bytes(16),
      suites: suiteTable([...suites.ids().map((id) => suites.get(id)), cheapSuite]),
    };
  }

  random = (length: number): Uint8Array => this.#prng.bytes(length);

  /** The keys of a node: drawn when it is first asked for. */
  identity(id: string): LinkIdentity {
    const known = this.#identities.get(id);
    if (known !== undefined) return known;
    const { kem } = this.context.suites.get(this.suiteId);
    const { publicKey, secretKey } = kem.keygen(this.random(kem.seedLength));
    const keys = { publicKey, secretKey: Secret.of('NodeKemKey', secretKey) };
    const identity: LinkIdentity = {
      id,
      kemKeys: new Map([[this.suiteId, keys]]),
      keyHash: nodeKeyHash({ kemKeys: [{ suiteId: this.suiteId, publicKey }] }),
    };
    this.#identities.set(id, identity);
    return identity;
  }

  /** Gives a node other keys: whoever asks for them from now on gets these. */
  replace(id: string): void {
    this.#identities.delete(id);
    this.identity(id);
  }

  /** Takes a node out of the descriptor. */
  remove(id: string): void {
    this.#identities.delete(id);
  }

  /** Starts a process of a node. */
  join(id: string, settings: LinkedBusSettings = {}, wire?: Wire): LinkedBus {
    const identity = settings.identity ?? this.identity(id);
    const instance = Buffer.from(this.random(INSTANCE_BYTES)).toString('hex');
    return new LinkedBus({
      wire: wire ?? this.wires.join({ node: id, instance }, settings.isGuest),
      clock: this.clock,
      random: this.random,
      context: this.context,
      identity,
      peers: (nodeId) => this.described(nodeId),
      suiteId: this.suiteId,
      onRefused: ({ code }) => this.refusals.push(`${id} ${code}`),
      ...settings,
    });
  }

  /** What the descriptor says of a node. */
  described(id: string): ReturnType<LinkedBusOptions['peers']> {
    const identity = this.#identities.get(id);
    return (
      identity && {
        kemKeys: Array.from(identity.kemKeys, ([suiteId, { publicKey }]) => ({ suiteId, publicKey })),
      }
    );
  }

  /** Lets everything happen that was handed to the event loop. */
  async settle(turns = 30): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
  }

  /** Lets time pass for everybody. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    this.clock.advance(ms);
    await this.settle();
  }
}
