import { signatureKeygen } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import { describeIdentity } from '@symmetra/node';
import type { NodeIdentity } from '@symmetra/node';
import { signDescriptor } from '@symmetra/protocol';
import type { Descriptor, SignedDescriptor } from '@symmetra/protocol';
import { TestAdministrator } from '../administrator.js';
import type { AdministratorPorts } from '../administrator.js';
import type { Prng } from '../prng.js';

/** A node as the root names it. */
export interface NamedNode {
  readonly identity: NodeIdentity;
  readonly addresses: readonly string[];
}

/** What a root is made with. */
export interface RootOptions {
  readonly prng: Prng;
  readonly suites: readonly number[];
  readonly threshold: number;
  readonly nodes: readonly NamedNode[];
  /** The clock of the administrator. */
  readonly now: () => number;
  readonly connect: AdministratorPorts['connect'];
}

/** Who holds the root key of a world, and the administrator of it: every descriptor that there ever was. */
export class Root {
  readonly #options: RootOptions;
  readonly #root: SignatureKeyPair;
  readonly #administratorKey: SignatureKeyPair;
  readonly #descriptors: Descriptor[] = [];
  #signed: SignedDescriptor;
  #administrator: TestAdministrator;

  constructor(options: RootOptions) {
    const { prng, suites, threshold, nodes } = options;
    this.#options = options;
    this.#root = signatureKeygen(prng.bytes(32));
    this.#administratorKey = signatureKeygen(prng.bytes(32));
    const descriptor: Descriptor = {
      networkId: prng.bytes(16),
      version: 1,
      nodes: namesOf(nodes),
      suites,
      threshold,
      administrators: [this.#administratorKey.publicKey],
      administratorThreshold: 1,
    };
    this.#signed = this.#sign(descriptor);
    this.#administrator = this.#newAdministrator();
  }

  /** The newest descriptor. */
  get descriptor(): Descriptor {
    return this.#administrator.descriptor;
  }

  get signed(): SignedDescriptor {
    return this.#signed;
  }

  /** All descriptors, the newest last. */
  get descriptors(): readonly Descriptor[] {
    return this.#descriptors;
  }

  /** The administrator, as it knows the newest descriptor. */
  get administrator(): TestAdministrator {
    return this.#administrator;
  }

  /** Signs the next descriptor, which names these nodes. */
  name(nodes: readonly NamedNode[]): void {
    const { version } = this.descriptor;
    this.#signed = this.#sign({ ...this.descriptor, version: version + 1, nodes: namesOf(nodes) });
    this.#administrator = this.#newAdministrator();
  }

  #sign(descriptor: Descriptor): SignedDescriptor {
    this.#descriptors.push(descriptor);
    return signDescriptor(descriptor, this.#root.secretKey, this.#root.publicKey);
  }

  #newAdministrator(): TestAdministrator {
    const { prng, now, connect } = this.#options;
    const [descriptor] = this.#descriptors.slice(-1);
    if (descriptor === undefined) throw new Error('the root has signed nothing yet');
    return new TestAdministrator(descriptor, this.#root.publicKey, this.#administratorKey, now, {
      connect,
      random: (length) => prng.bytes(length),
    });
  }
}

function namesOf(nodes: readonly NamedNode[]): Descriptor['nodes'] {
  return nodes.map(({ identity, addresses }) => describeIdentity(identity, addresses, 'simulation'));
}
