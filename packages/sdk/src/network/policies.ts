import { DEFAULT_POLICY, verifyEvent } from '@symmetra/protocol';
import type { Policy, ResponderFloors, SignedEvent } from '@symmetra/protocol';
import type { DeviceState } from '../state/device-state.js';
import type { PolicyRecord } from '../state/records.js';
import type { Descriptors } from './descriptors.js';

const ROW = 'policy';

/** The newest policy that the device verified; until it sees one, the default of every network. */
export class Policies {
  readonly #state: DeviceState;
  readonly #descriptors: Descriptors;
  readonly #knownSuites: readonly number[];
  #record: PolicyRecord | undefined;

  private constructor(state: DeviceState, descriptors: Descriptors, knownSuites: readonly number[]) {
    this.#state = state;
    this.#descriptors = descriptors;
    this.#knownSuites = knownSuites;
  }

  static async load(
    state: DeviceState,
    descriptors: Descriptors,
    knownSuites: readonly number[],
  ): Promise<Policies> {
    const policies = new Policies(state, descriptors, knownSuites);
    const record = await state.read<PolicyRecord>(ROW);
    // CTL-5: what an earlier version stored ends before the fields for groups.
    if (record !== undefined) {
      policies.#record = { ...record, policy: { ...DEFAULT_POLICY, ...record.policy } };
    }
    descriptors.onPolicy(async (signed) => policies.#verify(signed));
    return policies;
  }

  get current(): Policy {
    return this.#record?.policy ?? DEFAULT_POLICY;
  }

  /** Number of the control event that set it; 0 before the device saw one. */
  get revision(): number {
    return this.#record?.revision ?? 0;
  }

  /** Takes a policy whose event was verified, in force at once; an older one is ignored. */
  async adopt(revision: number, policy: Policy): Promise<void> {
    if (revision <= this.revision) return;
    const record: PolicyRecord = { revision, policy };
    this.#record = record;
    await this.#state.commit([{ key: ROW, value: record }]);
  }

  /** The policy that came with a descriptor (CTL-5). One that does not verify fails the fetch it came with. */
  async #verify(signed: SignedEvent): Promise<void> {
    const { number, body } = verifyEvent(this.#descriptors.current, signed);
    if (body.kind === 'policy') await this.adopt(number, body.policy);
  }

  /** The suites that this device, the descriptor and policy all allow. */
  get suites(): readonly number[] {
    const allowed = this.#descriptors.current.suites.filter((id) => this.#knownSuites.includes(id));
    return this.#record === undefined
      ? allowed
      : allowed.filter((id) => this.current.allowedSuites.includes(id));
  }

  /** The suite to use: the one that is preferred when it is allowed, else the first that is. */
  suiteFor(preferred: number): number {
    return this.suites.includes(preferred) ? preferred : (this.suites[0] ?? preferred);
  }

  /** What this device insists on as a responder. */
  floors(deviceId: Uint8Array): ResponderFloors {
    const { nodes, threshold, version } = this.#descriptors.current;
    return {
      deviceId,
      nodes: nodes.map((node) => node.id),
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      minimumDescriptorVersion: version,
      allowedSuites: this.suites,
      requireDirectKem: this.current.requireDirectKem,
      firstContactAll: this.current.firstContactAll,
    };
  }
}
