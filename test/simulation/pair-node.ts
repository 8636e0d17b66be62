import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import { approve, checkStanding } from '@symmetra/protocol';
import type { BrokerRequest, BrokerRules, DeliveryFields, Limits, ProtocolContext } from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { frame, readFrame, unknownFrame } from './frame.js';
import { NODE_IDS } from './node-identity.js';
import { decodeRequest, deviceIdOfName, encodeDelivery, protect, unprotect } from './pair-channel.js';

/** What a malicious node does with the shares that it is given. */
export type Malice = 'other share' | 'other header' | 'higher limits' | 'silent';

/** A share at rest, or the memory that it was taken. */
interface ShareRow {
  readonly headerHash: Uint8Array;
  readonly since: number;
  readonly to: string;
  /** Absent once the responder has acknowledged the delivery. */
  readonly delivery?: DeliveryFields;
}

/** Ticks that a share rests. */
const SHARE_TICKS = 100;
const DEVICES = ['alice', 'bob'] as const;

const MAXIMUM: Limits = { lifetimeSeconds: 3600, uses: 50 };

export function pairNode(context: ProtocolContext, suiteId: number, malice?: Malice): Boot {
  return (process) => new PairNode(context, suiteId, process, malice);
}

class PairNode implements Actor {
  readonly #context: ProtocolContext;
  readonly #rules: BrokerRules;
  readonly #process: SimulatedProcess;
  readonly #malice: Malice | undefined;

  constructor(context: ProtocolContext, suiteId: number, process: SimulatedProcess, malice?: Malice) {
    this.#context = context;
    this.#process = process;
    this.#malice = malice;
    this.#rules = {
      nodeId: process.name,
      descriptorVersion: 1,
      nodes: NODE_IDS,
      minimumNodes: 3,
      minimumThreshold: 2,
      allowedSuites: [suiteId],
      purposes: ['*'],
      maximum: MAXIMUM,
      requireDirectKem: false,
      stages: ['production'],
    };
  }

  receive(from: string, bytes: Uint8Array): void {
    const { type, body } = readFrame(bytes);
    const message = unprotect(body);
    if (type === 'request') this.#request(from, decodeRequest(message));
    else if (type === 'delivered') this.#delivered(from, message);
    else throw unknownFrame(type);
  }

  /** PAIR-3, PAIR-4. */
  #request(from: string, request: BrokerRequest): void {
    const { header, headerHash, granted } = approve(
      this.#context,
      this.#rules,
      deviceIdOfName(from),
      request,
    );
    const standing = { revoked: false, stage: 'production' };
    checkStanding(this.#rules, standing, standing);
    const to = DEVICES.find((name) => equalConstantTime(deviceIdOfName(name), header.responder));
    if (to === undefined) throw new SymmetraError('PEER_UNKNOWN', 'no such device');
    const name = rowName(header.keyId);
    const known = this.#process.get<ShareRow>(name);
    if (known !== undefined && !equalConstantTime(known.headerHash, headerHash)) {
      throw new SymmetraError('KEY_ID_TAKEN', 'another header has this key id');
    }
    if (known !== undefined) return;
    const delivery = this.#corrupted({ ...request, granted });
    this.#process.commit({
      writes: { [name]: { headerHash, since: this.#process.now, to, delivery } satisfies ShareRow },
      sends:
        this.#malice === 'silent'
          ? []
          : [{ to, frame: frame('delivery', protect(encodeDelivery(delivery))) }],
    });
  }

  #corrupted(delivery: DeliveryFields): DeliveryFields {
    switch (this.#malice) {
      case 'other share':
        return { ...delivery, share: this.#process.random(delivery.share.length) };
      case 'other header':
        return { ...delivery, header: raisedVersion(delivery.header) };
      case 'higher limits':
        return { ...delivery, granted: { lifetimeSeconds: 1_000_000, uses: 0 } };
      case 'silent':
      case undefined:
        return delivery;
    }
  }

  #delivered(from: string, keyId: Uint8Array): void {
    const name = rowName(keyId);
    const row = this.#process.get<ShareRow>(name);
    if (row?.delivery === undefined || row.to !== from) return;
    const { delivery: _, ...rest } = row;
    this.#process.commit({ writes: { [name]: rest } });
  }

  tick(): void {
    for (const name of this.#process.names('share/')) {
      const row = this.#process.get<ShareRow>(name) as ShareRow;
      if (row.delivery === undefined) continue;
      if (this.#process.now - row.since > SHARE_TICKS) {
        const { delivery: _, ...rest } = row;
        this.#process.commit({ writes: { [name]: rest } });
      } else if (this.#malice !== 'silent') {
        this.#process.send(row.to, frame('delivery', protect(encodeDelivery(row.delivery))));
      }
    }
  }

  idle(): boolean {
    return this.#process
      .names('share/')
      .every((name) => this.#process.get<ShareRow>(name)?.delivery === undefined);
  }
}

/** The same header with another policy revision, its last field: a well-formed header that the dealer did not make. */
function raisedVersion(header: Uint8Array): Uint8Array {
  const raised = header.slice();
  raised[raised.length - 1] = ((raised[raised.length - 1] as number) + 1) & 0x7f;
  return raised;
}

function rowName(keyId: Uint8Array): string {
  return `share/${toHex(keyId)}`;
}
