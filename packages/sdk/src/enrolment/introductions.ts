import { SymmetraError } from '@symmetra/crypto';
import {
  checkIntroductionReceipt,
  coefficientLength,
  descriptorNode,
  introductionRequests,
  introductionSecrets,
  nodeKeyHash,
  startIntroduction,
} from '@symmetra/protocol';
import type { Introducing, ProtocolContext } from '@symmetra/protocol';
import type { Chains } from '../chain/chains.js';
import { codeOf, mayPass, mostTelling } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { DeviceState, RowChange } from '../state/device-state.js';
import type { DeviceRecord } from '../state/records.js';

const PREFIX = 'introduction/';
const INTRODUCE = '/symmetra.enrolment.v1.EnrolmentService/Introduce';
const SECRET_BYTES = 32;

/** What introductions need. */
export interface IntroductionsParts {
  readonly context: ProtocolContext;
  readonly device: DeviceRecord;
  readonly state: DeviceState;
  readonly chains: Chains;
  readonly descriptors: Descriptors;
  readonly connection: () => Pick<Connection, 'call' | 'home'>;
  readonly random: DeviceRandomness;
}

/** ENR-9: has nodes at which the device is enrolled introduce it to others; each state is durable before it is sent. */
export class Introductions {
  readonly #parts: IntroductionsParts;
  readonly #states = new Map<string, Introducing>();

  private constructor(parts: IntroductionsParts) {
    this.#parts = parts;
  }

  static async load(parts: IntroductionsParts): Promise<Introductions> {
    const introductions = new Introductions(parts);
    for (const { name, value } of await parts.state.list<Introducing>(PREFIX)) {
      introductions.#states.set(name, value);
    }
    return introductions;
  }

  /** Whether the device is enrolled with enough nodes that could introduce it to this one. */
  isPossible(nodeId: string): boolean {
    return this.#introducers(nodeId).length >= this.#parts.descriptors.current.threshold;
  }

  /** Whether the device has asked for an introduction to this node, and is not enrolled there yet. */
  isAsked(nodeId: string): boolean {
    return this.#states.has(nodeId);
  }

  /**
   * Asks all nodes, the identical requests each time. Fulfilled when enough of them passed them on.
   * @throws NOT_ENROLLED while too few nodes know the device, LINK_CLOSED while it has no home; what most nodes answered,
   *   a refusal for good only when enough nodes can not be had any more whatever passes
   */
  async ask(nodeId: string): Promise<Introducing> {
    const { descriptors, connection } = this.#parts;
    const { version } = descriptors.current;
    const known = this.#states.get(nodeId);
    const introducing = known?.descriptorVersion === version ? known : await this.#draw(nodeId);
    if (connection().home === undefined) {
      throw new SymmetraError('LINK_CLOSED', 'the device is not connected', { node: nodeId });
    }
    const outcomes = await Promise.allSettled(
      introductionRequests(introducing).map(async ({ nodeId: via, header, share }) => {
        const { headerHash } = await connection().call(via, INTRODUCE, { header, share });
        checkIntroductionReceipt(introducing, headerHash);
      }),
    );
    const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (outcomes.length - failures.length >= introducing.threshold) return introducing;
    if (failures.some((error) => codeOf(error) === 'DESCRIPTOR_OLD')) {
      await descriptors.refresh([], version + 1);
    }
    const passing = failures.filter(mayPass);
    const possible = outcomes.length - failures.length + passing.length;
    throw mostTelling(possible >= introducing.threshold ? passing : failures.filter((one) => !mayPass(one)));
  }

  /** The rows of introductions that are over, and what erases them from memory once those are gone. */
  ending(nodeIds: readonly string[]): { readonly rows: readonly RowChange[]; readonly erase: () => void } {
    const over = nodeIds.filter((nodeId) => this.#states.has(nodeId));
    return {
      rows: over.map((nodeId) => ({ key: PREFIX + nodeId, value: null })),
      erase: () => {
        for (const nodeId of over) this.#erase(nodeId);
      },
    };
  }

  async #draw(nodeId: string): Promise<Introducing> {
    const { context, device, state, descriptors, random } = this.#parts;
    const { version, threshold } = descriptors.current;
    const nodes = this.#introducers(nodeId);
    if (nodes.length < threshold) {
      throw new SymmetraError('NOT_ENROLLED', 'too few nodes know the device yet', { node: nodeId });
    }
    const { state: introducing } = startIntroduction(
      context,
      {
        tokenId: device.tokenId,
        enrolmentNonce: device.enrolmentNonce,
        nodeId,
        nodeKeyHash: nodeKeyHash(descriptorNode(descriptors.current, nodeId)),
        descriptorVersion: version,
        threshold,
        nodes,
      },
      { secret: random.bytes(SECRET_BYTES), coefficients: random.bytes(coefficientLength(threshold)) },
    );
    await state.commit([{ key: PREFIX + nodeId, value: introducing }]);
    this.#erase(nodeId);
    this.#states.set(nodeId, introducing);
    return introducing;
  }

  #introducers(nodeId: string): readonly string[] {
    const { chains, descriptors } = this.#parts;
    const ready = new Set(chains.ready());
    return descriptors.current.nodes.flatMap(({ id }) => (id !== nodeId && ready.has(id) ? [id] : []));
  }

  #erase(nodeId: string): void {
    const introducing = this.#states.get(nodeId);
    this.#states.delete(nodeId);
    for (const secret of introducing === undefined ? [] : introductionSecrets(introducing)) secret.wipe();
  }
}
