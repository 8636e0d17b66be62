import { toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import type { GroupRules, HeaderFloors, Limits, ProtocolContext } from '@symmetra/protocol';
import type { Simulation } from '@symmetra/testing';
import { GroupLedger } from './group-ledger.js';
import type { SealedEpoch } from './group-mallory.js';
import type { GroupPlan, Wish } from './group-plan.js';
import type { BroadcastSigning } from './group-signing.js';
import { deviceIdOfName } from './pair-channel.js';

export const MS_PER_TICK = 100;
export const BOUND_SECONDS = 10;
export const BOUND_MS = BOUND_SECONDS * 1000;
export const PURPOSE = 'simulation';
const STAGE = 'production';
const MAXIMUM: Limits = { lifetimeSeconds: 3600, uses: 0 };

/** What all parties of one run have in common, and what happens to them from outside. */
export class GroupWorld {
  readonly plan: GroupPlan;
  readonly context: ProtocolContext;
  readonly suite: Suite;
  readonly signing: BroadcastSigning;
  readonly groupId: Uint8Array;
  readonly ledger = new GroupLedger();
  /** What the users of the devices want and did not get yet. */
  readonly wishes = new Map<string, Wish[]>();
  /** Every group message. */
  readonly said: Uint8Array[] = [];
  readonly revoked = new Set<string>();
  readonly left = new Set<string>();
  readonly simulation: Simulation;
  /** Sees every broadcast of an epoch, when its node signs it. */
  onBroadcast: (nodeId: string, broadcast: SealedEpoch) => void = () => undefined;
  readonly #names: ReadonlyMap<string, string>;
  /** By device: until which tick a node has not heard of its revocation yet. */
  readonly #unheard = new Map<string, number>();
  #apart: ReadonlySet<string> = new Set();
  #speaking: 'at times' | 'once' | 'never' = 'at times';
  readonly #spoken = new Set<string>();
  readonly #heard = new Set<string>();

  constructor(
    simulation: Simulation,
    plan: GroupPlan,
    context: ProtocolContext,
    suite: Suite,
    signing: BroadcastSigning,
  ) {
    this.simulation = simulation;
    this.plan = plan;
    this.context = context;
    this.suite = suite;
    this.signing = signing;
    this.groupId = simulation.prng.bytes(16);
    this.#names = new Map(plan.devices.map((name) => [toHex(deviceIdOfName(name)), name]));
    for (const name of plan.devices) this.wishes.set(name, []);
  }

  note(what: string): void {
    this.simulation.occurrences.note(what);
  }

  nameOf(deviceId: Uint8Array): string {
    return this.#names.get(toHex(deviceId)) ?? 'nobody';
  }

  wish(device: string, wish: Wish): void {
    this.wishes.get(device)?.push(wish);
  }

  /** Separates some parties from all others for a while. */
  separate(parties: Iterable<string>, ticks: number): void {
    const apart = new Set(parties);
    this.#apart = apart;
    this.simulation.after(ticks, () => {
      if (this.#apart === apart) this.#apart = new Set();
    });
  }

  /** Whether nothing gets from one party to the other. */
  separates(one: string, other: string): boolean {
    return this.#apart.has(one) !== this.#apart.has(other);
  }

  /** Whether a device has a line to a node now. */
  isAttached(device: string, node: string): boolean {
    return this.simulation.process(device).up && !this.separates(device, node);
  }

  /** The node that a device is at home with: the first that it reaches and that answers. */
  homeOf(device: string): string | undefined {
    const { nodes, liar } = this.plan;
    const silent = liar?.malice === 'silent' ? liar.node : undefined;
    return nodes.find(
      (node) => node !== silent && this.simulation.process(node).up && !this.separates(device, node),
    );
  }

  /** Revokes a device. Each node hears of it at a time of its own. */
  revoke(device: string): void {
    this.revoked.add(device);
    for (const node of this.plan.nodes) {
      this.#unheard.set(`${node}/${device}`, this.simulation.now + this.simulation.prng.between(1, 30));
    }
  }

  /** What the control log of a node says. */
  isRevokedAt(node: string, device: string): boolean {
    if (!this.revoked.has(device)) return false;
    return this.simulation.now >= (this.#unheard.get(`${node}/${device}`) ?? 0);
  }

  /** From now on nothing goes wrong, but what a node that lies does. */
  calm(): void {
    this.#speaking = 'never';
    this.#apart = new Set();
    this.simulation.calm();
  }

  /** From now on every device says one thing to all others. */
  letSpeak(): void {
    this.#speaking = 'once';
  }

  asksToSpeak(device: string): boolean {
    if (this.#speaking === 'at times') return this.simulation.prng.chance(0.2);
    return this.#speaking === 'once' && !this.#spoken.has(device);
  }

  spoke(device: string): void {
    if (this.#speaking === 'once') this.#spoken.add(device);
  }

  heard(receiver: string, sender: string): void {
    if (this.#speaking === 'once') this.#heard.add(`${receiver}<${sender}`);
  }

  /** Whether everything that was said at the end came to every other of these devices. */
  isHeardByAll(devices: readonly string[]): boolean {
    return devices.every((receiver) =>
      devices.every((sender) => sender === receiver || this.#heard.has(`${receiver}<${sender}`)),
    );
  }

  rulesOf(nodeId: string): GroupRules {
    const { nodes, threshold, devices } = this.plan;
    return {
      nodeId,
      descriptorVersion: 1,
      nodes,
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      allowedSuites: [this.suite.id],
      purposes: [PURPOSE],
      maximum: MAXIMUM,
      requireDirectKem: false,
      stages: [STAGE],
      groupMembers: devices.length,
    };
  }

  standingOf(nodeId: string, deviceId: Uint8Array): { revoked: boolean; stage: string } {
    return { revoked: this.isRevokedAt(nodeId, this.nameOf(deviceId)), stage: STAGE };
  }

  get floors(): HeaderFloors {
    const { nodes, threshold } = this.plan;
    return {
      nodes,
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      allowedSuites: [this.suite.id],
    };
  }
}
