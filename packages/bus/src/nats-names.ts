import { SymmetraError } from '@symmetra/crypto';
import type { WireAddress } from './wire.js';

const NODE_ID = /^[a-z0-9-]{1,32}$/;
const INSTANCE = /^[0-9a-f]{8}$/;
const NETWORK_ID = /^[0-9a-f]{32}$/;
/** Stands for any process of a node. */
const ANY = 'any';
/** Stands where the name of a process stands else. */
const EVERYONE = 'all';

/** @throws SymmetraError NODE_ID_UNUSABLE when the id can not be part of a NATS subject */
export function checkNodeId(node: string): void {
  if (NODE_ID.test(node)) return;
  const message = 'in a cluster the id of a node is 1 to 32 small letters, digits and hyphens';
  throw new SymmetraError('NODE_ID_UNUSABLE', message, { node });
}

/** Whether it is the name of a process. */
export function isInstance(text: string): boolean {
  return INSTANCE.test(text);
}

/** The subjects of one network: all that the bus and the control log use. */
export class NatsNames {
  readonly #network: string;

  /** @param networkIdHex the id of the network, lower-case hexadecimal */
  constructor(networkIdHex: string) {
    if (!NETWORK_ID.test(networkIdHex)) {
      throw new SymmetraError('BAD_ENCODING', 'the id of the network is not lower-case hexadecimal');
    }
    this.#network = networkIdHex;
  }

  /** Where a process listens, or where all processes of a node do, as one queue group. */
  address({ node, instance }: WireAddress): string {
    const subject = `symmetra.${this.#network}.n.${node}`;
    return instance === undefined ? subject : `${subject}.${instance}`;
  }

  /** Where all processes of a node listen, each for itself. */
  everyone(node: string): string {
    checkNodeId(node);
    return `${this.address({ node })}.${EVERYONE}`;
  }

  /** Where the server tells a process that nobody listens at `to`. */
  absent(from: Required<WireAddress>, to: WireAddress): string {
    return `symmetra.${this.#network}.absent.${from.node}.${from.instance}.${to.node}.${to.instance ?? ANY}`;
  }

  /** All of these subjects of one process. */
  absences(from: Required<WireAddress>): string {
    return `symmetra.${this.#network}.absent.${from.node}.${from.instance}.*.*`;
  }

  /** The address that such a subject names. */
  absentee(subject: string): WireAddress | undefined {
    const [node, instance] = subject.split('.').slice(-2);
    if (node === undefined || instance === undefined || !NODE_ID.test(node)) return undefined;
    if (instance === ANY) return { node };
    return isInstance(instance) ? { node, instance } : undefined;
  }

  /** Where entries of the control log are appended. */
  get log(): string {
    return `symmetra.${this.#network}.log`;
  }

  /** Where the server tells that an entry was stored. */
  get stored(): string {
    return `symmetra.${this.#network}.stored`;
  }

  /** The name of the JetStream stream that holds the control log. */
  get stream(): string {
    return `SYMMETRA_${this.#network}`;
  }

  /** What a node may publish to and subscribe to: this, and nothing else. */
  permissions(node: string): { readonly publish: readonly string[]; readonly subscribe: readonly string[] } {
    checkNodeId(node);
    const network = `symmetra.${this.#network}`;
    return {
      publish: [
        `${network}.n.>`,
        this.log,
        `$JS.API.STREAM.CREATE.${this.stream}`,
        `$JS.API.STREAM.INFO.${this.stream}`,
        `$JS.API.STREAM.MSG.GET.${this.stream}`,
      ],
      subscribe: [
        `${network}.n.${node} ${node}`,
        `${network}.n.${node}.>`,
        `${network}.absent.${node}.>`,
        this.stored,
        `${inboxPrefix(node)}.>`,
      ],
    };
  }
}

/** Where the replies of the server to a node arrive. */
export function inboxPrefix(node: string): string {
  checkNodeId(node);
  return `_INBOX.${node}`;
}
