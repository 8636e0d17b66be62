import type { Bus } from '@symmetra/bus';
import { SymmetraError, equalConstantTime, sha256 } from '@symmetra/crypto';
import { verifyDescriptor } from '@symmetra/protocol';
import type { SignedDescriptor } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { adoptDescriptor, newestDescriptor } from '../control/descriptor-row.js';

/** Subject of the bus on which a node gives its descriptor. */
const DESCRIPTOR = 'descriptor';
const SIGNED = 'symmetra.network.v1.PutDescriptorRequest';
const TIMEOUT_MS = 5000;
const NOTHING = new Uint8Array(0);

export interface DescriptorExchangeParts {
  readonly bus: Bus;
  readonly store: Store;
  readonly state: ControlState;
  readonly logger: Logger;
  /** Has the node built anew; absent where its descriptor comes from elsewhere, which takes none up. */
  readonly onDescriptor?: ((signed: SignedDescriptor) => void) | undefined;
}

/**
 * CTL-2: newer descriptors, from anyone who brings one and from nodes that have one. A descriptor decides how a node is
 * built: it is verified and stored here, and the owner of the node builds it anew.
 */
export class DescriptorExchange {
  readonly #parts: DescriptorExchangeParts;
  #isFetching = false;

  constructor(parts: DescriptorExchangeParts) {
    this.#parts = parts;
    const { bus, store, state } = parts;
    // Another process of this node may have taken up a newer one: whoever heard of it from there may be asking here.
    bus.serve(DESCRIPTOR, async () => encode(SIGNED, await newestDescriptor(store, state.signedDescriptor)));
  }

  /**
   * Takes up a descriptor. The node's own one, again, changes nothing.
   * @returns its version
   * @throws METHOD_NOT_ALLOWED, ROOT_MISMATCH, BAD_SIGNATURE, BAD_DESCRIPTOR, WRONG_NETWORK, DESCRIPTOR_OLD, BAD_ENCODING
   */
  async put(signed: SignedDescriptor): Promise<number> {
    const { state, store, logger, onDescriptor } = this.#parts;
    const own = state.signedDescriptor;
    const { networkId, version } = state.descriptor;
    if (onDescriptor === undefined) {
      throw new SymmetraError('METHOD_NOT_ALLOWED', 'the node takes its descriptor from its own files');
    }
    if (equalConstantTime(signed.descriptor, own.descriptor)) return version;
    const rootKeyHash = sha256(own.rootPublicKey);
    verifyDescriptor(signed, { networkId, rootKeyHash, minimumVersion: version + 1 });
    const adopted = await adoptDescriptor(store, signed);
    logger.info({ version: String(adopted.version) }, 'A newer descriptor is in force.');
    // Whoever brought it gets the answer first.
    setImmediate(() => onDescriptor(signed));
    return adopted.version;
  }

  /** Another node has a descriptor of this version: a newer one than this node's is fetched there. Never fails. */
  heard(from: string, version: number): void {
    const { state, onDescriptor } = this.#parts;
    if (onDescriptor === undefined || version <= state.descriptor.version || this.#isFetching) return;
    this.#isFetching = true;
    void this.#fetch(from).finally(() => {
      this.#isFetching = false;
    });
  }

  async #fetch(from: string): Promise<void> {
    const { bus, logger } = this.#parts;
    try {
      const reply = decode(SIGNED, await bus.request(from, DESCRIPTOR, NOTHING, { timeoutMs: TIMEOUT_MS }));
      await this.put(signedDescriptorOf(reply));
    } catch (error) {
      logger.warn({ nodes: [from], err: error }, 'The newer descriptor of another node could not be had.');
    }
  }
}

/** A descriptor out of a message: copied, since the bytes of a message are views. */
export function signedDescriptorOf(message: SignedDescriptor): SignedDescriptor {
  return {
    descriptor: Uint8Array.from(message.descriptor),
    signature: Uint8Array.from(message.signature),
    rootPublicKey: Uint8Array.from(message.rootPublicKey),
  };
}
