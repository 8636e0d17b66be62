import type { SuiteTable } from '@symmetra/crypto';
import { EMPTY_LOG, SNAPSHOT_EVERY, SnapshotLedger, grantStage } from '@symmetra/protocol';
import type {
  BrokerRules,
  ControlEvent,
  Descriptor,
  EnrolmentNode,
  LogHead,
  Policy,
  PolicyInForce,
  ProtocolContext,
  SignedDescriptor,
  Snapshot,
  StepRules,
} from '@symmetra/protocol';
import type { NodeIdentity } from '../identity/node-identity.js';
import { hexOf } from '../rows/row-keys.js';

/** How long a token's use is set aside for a device that has not confirmed (ENR-4). */
const RESERVATION_MS = 10 * 60_000;

/** What is allowed before the first policy event: nothing. */
const DENY_ALL: Policy = {
  allowedSuites: [],
  purposes: [],
  maximum: { lifetimeSeconds: 1, uses: 1 },
  firstContactAll: true,
  requireDirectKem: true,
  stages: [''],
  keyStages: [],
  groupMembers: 0,
  groupBoundSeconds: 1,
};

/**
 * What descriptor and control log say at this node now, in memory: the rules for every decision, and who and what
 * is revoked. The log's rows are the truth; this is derived from them.
 */
export class ControlState {
  readonly identity: NodeIdentity;
  readonly signedDescriptor: SignedDescriptor;
  readonly descriptor: Descriptor;
  readonly context: ProtocolContext;
  /** By device id, hexadecimal: number of the event that revoked it. */
  readonly #revokedDevices = new Map<string, number>();
  /** By key id, hexadecimal: number of the event that revoked it. */
  readonly #revokedKeys = new Map<string, number>();
  readonly #snapshots: SnapshotLedger;
  #head: LogHead = EMPTY_LOG;
  #inForce: PolicyInForce = { revision: 0, policy: DENY_ALL };
  #halted = false;
  #brokerRules: BrokerRules;
  #enrolmentNode: EnrolmentNode;
  #stepRules: StepRules;

  constructor(
    identity: NodeIdentity,
    signedDescriptor: SignedDescriptor,
    descriptor: Descriptor,
    suites: SuiteTable,
    snapshotEvery: number = SNAPSHOT_EVERY,
  ) {
    this.#snapshots = new SnapshotLedger(snapshotEvery);
    this.identity = identity;
    this.signedDescriptor = signedDescriptor;
    this.descriptor = descriptor;
    this.context = { networkId: descriptor.networkId, suites };
    this.#brokerRules = this.#makeBrokerRules();
    this.#enrolmentNode = this.#makeEnrolmentNode();
    this.#stepRules = this.#makeStepRules();
  }

  get head(): LogHead {
    return this.#head;
  }

  get policy(): Policy {
    return this.#inForce.policy;
  }

  /** Number of the event that set the policy; 0 before the first. */
  get policyRevision(): number {
    return this.#inForce.revision;
  }

  /** CTL-9: what still matters of the log, as of the newest multiple of the interval. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshots.newest;
  }

  /** True once two events with one number were seen: the node answers no device. */
  get halted(): boolean {
    return this.#halted;
  }

  /** How this node decides about negotiations (PAIR-3). */
  get brokerRules(): BrokerRules {
    return this.#brokerRules;
  }

  /** How this node decides about enrolments (ENR-3). */
  get enrolmentNode(): EnrolmentNode {
    return this.#enrolmentNode;
  }

  /** How this node decides about ratchet steps (ATK-4). */
  get stepRules(): StepRules {
    return this.#stepRules;
  }

  /** Whether policy and descriptor allow a suite now. */
  allowsSuite(suiteId: number): boolean {
    return this.#brokerRules.allowedSuites.includes(suiteId);
  }

  isDeviceRevoked(deviceHex: string): boolean {
    return this.#revokedDevices.has(deviceHex);
  }

  isKeyRevoked(keyHex: string): boolean {
    return this.#revokedKeys.has(keyHex);
  }

  /** The event that revoked a device. */
  deviceRevocation(deviceHex: string): number | undefined {
    return this.#revokedDevices.get(deviceHex);
  }

  /** Revoked devices. */
  deviceRevocations(): IterableIterator<string> {
    return this.#revokedDevices.keys();
  }

  /** Revoked keys and the events that revoked them. */
  keyRevocations(): IterableIterator<[keyHex: string, number: number]> {
    return this.#revokedKeys.entries();
  }

  /** Takes the next event into account. Its row is durable by now. */
  advance(event: ControlEvent, head: LogHead): void {
    this.#head = head;
    this.#snapshots.note(event, head.hash);
    this.#take(event);
  }

  /** CTL-9: begins with the events of a snapshot, in their order. */
  begin(events: readonly { readonly event: ControlEvent; readonly hash: Uint8Array }[], head: LogHead): void {
    this.#head = head;
    this.#snapshots.begin(events, head);
    for (const { event } of events) this.#take(event);
  }

  #take({ body, number }: ControlEvent): void {
    switch (body.kind) {
      case 'policy':
        this.#inForce = { revision: number, policy: body.policy };
        this.#brokerRules = this.#makeBrokerRules();
        this.#enrolmentNode = this.#makeEnrolmentNode();
        this.#stepRules = this.#makeStepRules();
        break;
      case 'device-revoke':
        this.#revokedDevices.set(hexOf(body.deviceId), number);
        break;
      case 'key-revoke':
        this.#revokedKeys.set(hexOf(body.keyId), number);
        break;
      case 'token-create':
        break;
    }
  }

  /** Stops all answers to devices, until people have looked. */
  halt(): void {
    this.#halted = true;
  }

  #allowedSuites(): readonly number[] {
    return this.policy.allowedSuites.filter((id) => this.descriptor.suites.includes(id));
  }

  #makeBrokerRules(): BrokerRules {
    const { nodes, threshold, version } = this.descriptor;
    return {
      nodeId: this.identity.id,
      descriptorVersion: version,
      nodes: nodes.map((node) => node.id),
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      allowedSuites: this.#allowedSuites(),
      purposes: this.policy.purposes,
      maximum: this.policy.maximum,
      requireDirectKem: this.policy.requireDirectKem,
      stages: this.policy.keyStages,
    };
  }

  #makeEnrolmentNode(): EnrolmentNode {
    return {
      nodeId: this.identity.id,
      nodeKeyHash: this.identity.keyHash,
      kemKeys: this.identity.kemKeys,
      allowedSuites: this.#allowedSuites(),
      descriptorVersion: this.descriptor.version,
      reservationMs: RESERVATION_MS,
    };
  }

  #makeStepRules(): StepRules {
    const { policy } = this;
    return {
      kemKeys: this.identity.kemKeys,
      allowedSuites: this.#allowedSuites(),
      grantStage: (present, asked) => grantStage(policy, present, asked),
    };
  }
}
