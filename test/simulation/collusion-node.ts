import { Secret, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import { approve, nodeKeyHash } from '@symmetra/protocol';
import type {
  BrokerRequest,
  DeliveryFields,
  EnrolmentNode,
  NodeChain,
  NodeTokenSecret,
  ProtocolContext,
  SessionEnd,
  StepRules,
} from '@symmetra/protocol';

export const NODE_IDS = ['amsterdam', 'bern', 'cairo'] as const;
/** k of the descriptor. */
export const THRESHOLD = 2;

/** One node: what it stores, and what it stored before. */
export class CollusionNode {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly keyHash: Uint8Array;
  readonly secretKey: Secret<'NodeKemKey'>;
  readonly #suiteId: number;
  /** t_i of every token, which a node keeps until it is used. */
  readonly tokens: NodeTokenSecret[] = [];
  /** Every chain state that it ever stored, by device: the last one is in force. */
  readonly chains = new Map<string, NodeChain[]>();
  /** Open sessions by device, in memory. */
  readonly sessions = new Map<string, SessionEnd>();
  /** The shares that rest until the responder acknowledges them. */
  readonly shares: DeliveryFields[] = [];

  constructor(id: string, suite: Suite, seed: Uint8Array) {
    const { publicKey, secretKey } = suite.kem.keygen(seed);
    this.id = id;
    this.#suiteId = suite.id;
    this.publicKey = publicKey;
    this.secretKey = Secret.of('NodeKemKey', secretKey);
    this.keyHash = nodeKeyHash({ kemKeys: [{ suiteId: suite.id, publicKey }] });
  }

  get stepRules(): StepRules {
    const { publicKey, secretKey } = this;
    return {
      kemKeys: new Map([[this.#suiteId, { publicKey, secretKey }]]),
      allowedSuites: [this.#suiteId],
      grantStage: (_present, asked) => asked,
    };
  }

  get enrolmentRules(): EnrolmentNode {
    const { kemKeys, allowedSuites } = this.stepRules;
    return {
      nodeId: this.id,
      nodeKeyHash: this.keyHash,
      kemKeys,
      allowedSuites,
      descriptorVersion: 1,
      reservationMs: 1000,
    };
  }

  keep(chain: NodeChain): void {
    const device = toHex(chain.parties.deviceId);
    this.chains.set(device, [...(this.chains.get(device) ?? []), chain]);
  }

  chain(deviceId: Uint8Array): NodeChain {
    const chain = this.chains.get(toHex(deviceId))?.at(-1);
    if (chain === undefined) throw new Error('the device is not enrolled here');
    return chain;
  }

  session(deviceId: Uint8Array): SessionEnd {
    const session = this.sessions.get(toHex(deviceId));
    if (session === undefined) throw new Error('the device has no session here');
    return session;
  }

  /** PAIR-3 as an honest node decides it: the share rests. */
  approve(context: ProtocolContext, sender: Uint8Array, request: BrokerRequest): DeliveryFields {
    const rules = {
      nodeId: this.id,
      descriptorVersion: 1,
      nodes: NODE_IDS,
      minimumNodes: NODE_IDS.length,
      minimumThreshold: THRESHOLD,
      allowedSuites: [this.#suiteId],
      purposes: ['*'],
      maximum: { lifetimeSeconds: 3600, uses: 0 },
      requireDirectKem: false,
      stages: ['production'],
    };
    const { granted } = approve(context, rules, sender, request);
    const delivery = { ...request, granted };
    this.shares.push(delivery);
    return delivery;
  }
}
