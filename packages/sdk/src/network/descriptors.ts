import { equalConstantTime } from '@symmetra/crypto';
import { nodeKeyHash, verifyDescriptor } from '@symmetra/protocol';
import type { Descriptor, SignedDescriptor, SignedEvent } from '@symmetra/protocol';
import { mostTelling } from '../failure.js';
import type { DeviceState, RowChange } from '../state/device-state.js';
import { fromNotice } from './notice.js';
import type { NodeRoutes } from './node-routes.js';

const ROW = 'descriptor';

/** What a descriptor must fit: the network's id, and the hash of its root's key. */
export interface NetworkAnchor {
  readonly networkId: Uint8Array;
  readonly rootKeyHash: Uint8Array;
}

/** What a newer descriptor changes for a device. */
export interface DescriptorChange {
  readonly version: number;
  readonly added: readonly string[];
  /** Nodes that are no more, or have other keys: those are among `added` as well. */
  readonly removed: readonly string[];
}

/** What the device holds of nodes that are no more. */
export interface DescriptorHeir {
  /** `rows` are written in one commit with the descriptor; then one of the others is called. */
  leave(removed: readonly string[]): { readonly rows: readonly RowChange[]; done(): void; undone(): void };
  /** The descriptor is in force. */
  changed(change: DescriptorChange): void;
}

/** The newest descriptor that the device verified (CTL-1). */
export class Descriptors {
  readonly #state: DeviceState;
  readonly #routes: NodeRoutes;
  readonly #anchor: NetworkAnchor;
  #current: Descriptor | undefined;
  #refreshing: { readonly atLeast: number; readonly fetched: Promise<Descriptor> } | undefined;
  #onPolicy: ((signed: SignedEvent) => Promise<void>) | undefined;
  #heir: DescriptorHeir | undefined;

  private constructor(state: DeviceState, routes: NodeRoutes, anchor: NetworkAnchor) {
    this.#state = state;
    this.#routes = routes;
    this.#anchor = anchor;
  }

  /** Reads and verifies what is stored; nothing may be stored yet. */
  static async load(state: DeviceState, routes: NodeRoutes, anchor: NetworkAnchor): Promise<Descriptors> {
    const descriptors = new Descriptors(state, routes, anchor);
    const stored = await state.read<SignedDescriptor>(ROW);
    if (stored !== undefined) descriptors.#adopt(descriptors.#verify(stored));
    return descriptors;
  }

  /** Whether there is one. */
  get isKnown(): boolean {
    return this.#current !== undefined;
  }

  /** The descriptor in force. Asked only once there is one. */
  get current(): Descriptor {
    if (this.#current === undefined) throw new Error('the descriptor is read before it was fetched');
    return this.#current;
  }

  /** Takes the policy event that comes with each descriptor; it is not verified yet. */
  onPolicy(listener: (signed: SignedEvent) => Promise<void>): void {
    this.#onPolicy = listener;
  }

  /** Tells what holds something of the nodes when the descriptor changes. */
  onChange(heir: DescriptorHeir): void {
    this.#heir = heir;
  }

  /**
   * Fetches the descriptor from any of the addresses, and from the nodes of the one that is known. An older one than
   * known is refused. Calls at the same time share one fetch.
   *
   * @param atLeast the version that is said to be there: one node that hands out an older one does not end the search
   * @throws ROOT_MISMATCH, BAD_SIGNATURE, DESCRIPTOR_OLD, WRONG_NETWORK, NODE_UNREACHABLE
   */
  async refresh(hints: readonly string[], atLeast = 0): Promise<Descriptor> {
    const pending = this.#refreshing;
    if (pending !== undefined && pending.atLeast >= atLeast) return pending.fetched;
    const refreshing = { atLeast, fetched: this.#fetch(hints, atLeast) };
    this.#refreshing = refreshing;
    return refreshing.fetched.finally(() => {
      if (this.#refreshing === refreshing) this.#refreshing = undefined;
    });
  }

  async #fetch(hints: readonly string[], atLeast: number): Promise<Descriptor> {
    let found: Descriptor | undefined;
    const known = this.#current?.nodes.flatMap((node) => node.addresses) ?? [];
    const failures: unknown[] = [];
    for (const address of new Set([...known, ...hints])) {
      try {
        const reply = await this.#routes.client(address).getDescriptor();
        const signed: SignedDescriptor = {
          descriptor: Uint8Array.from(reply.descriptor),
          signature: Uint8Array.from(reply.signature),
          rootPublicKey: Uint8Array.from(reply.rootPublicKey),
        };
        const descriptor = this.#verify(signed);
        if (descriptor.version !== this.#current?.version) await this.#replace(signed, descriptor);
        found = descriptor;
        if (reply.policy) await this.#onPolicy?.(fromNotice(reply.policy));
        if (descriptor.version >= atLeast) return descriptor;
      } catch (error) {
        failures.push(error);
      }
    }
    if (found === undefined) throw mostTelling(failures);
    return found;
  }

  /** CTL-2: in one commit with what the device holds of nodes that are no more. */
  async #replace(signed: SignedDescriptor, descriptor: Descriptor): Promise<void> {
    const before = this.#current;
    const removed = absentIn(before, descriptor);
    const left = this.#heir?.leave(removed);
    try {
      await this.#state.commit([{ key: ROW, value: signed }, ...(left?.rows ?? [])]);
    } catch (error) {
      left?.undone();
      throw error;
    }
    this.#adopt(descriptor);
    left?.done();
    if (before === undefined) return;
    this.#heir?.changed({ version: descriptor.version, added: absentIn(descriptor, before), removed });
  }

  #verify(signed: SignedDescriptor): Descriptor {
    return verifyDescriptor(signed, { ...this.#anchor, minimumVersion: this.#current?.version ?? 0 });
  }

  #adopt(descriptor: Descriptor): void {
    this.#current = descriptor;
    this.#routes.use(descriptor);
  }
}

/** The nodes of one descriptor that another one does not name with the same keys. */
function absentIn(one: Descriptor | undefined, other: Descriptor): readonly string[] {
  return (one?.nodes ?? [])
    .filter(({ id, ...node }) => {
      const same = other.nodes.find((named) => named.id === id);
      return same === undefined || !equalConstantTime(nodeKeyHash(same), nodeKeyHash(node));
    })
    .map(({ id }) => id);
}
