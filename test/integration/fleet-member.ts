import { SymmetraError, sha256 } from '@symmetra/crypto';
import type { Device, NegotiateOptions, RatchetOptions } from '@symmetra/sdk';
import type { Prng } from '@symmetra/testing';
import { shortDigest } from './fleet-history.js';
import type { FleetHistory, Happening } from './fleet-history.js';
import type { Fleet } from './sdk-fleet.js';

type Task = Extract<Happening, { readonly kind: 'did' }>['task'];

interface Outcome {
  readonly outcome: string;
  readonly keyId?: string;
  readonly detail?: string;
}

/** Where the members of a fleet live, and what is written about them. */
export interface Surroundings {
  readonly fleet: Pick<Fleet, 'enrol' | 'open'>;
  readonly history: Pick<FleetHistory, 'now' | 'note'>;
  /** Names by device id. */
  readonly names: Map<string, string>;
}

/** How a member is enrolled. */
export interface MemberOptions {
  readonly name: string;
  readonly token: string;
  readonly suite: number;
  /** Whether peers reach it directly. */
  readonly listens: boolean;
}

/** One device of the fleet through all its processes; everything that is seen of it goes into the history. */
export class Member {
  readonly name: string;
  readonly id: string;
  /** Whether the administrators have been asked to revoke it. */
  isRevoked = false;
  readonly #surroundings: Surroundings;
  readonly #options: MemberOptions;
  #device: Device;
  #dropping: Promise<void> | undefined;

  private constructor(surroundings: Surroundings, options: MemberOptions, device: Device) {
    this.#surroundings = surroundings;
    this.#options = options;
    this.#device = device;
    this.name = options.name;
    this.id = device.id;
    surroundings.names.set(this.id, this.name);
    this.#listenTo(device);
  }

  static async enrol(surroundings: Surroundings, options: MemberOptions): Promise<Member> {
    const { name, token, suite } = options;
    const member = new Member(surroundings, options, await surroundings.fleet.enrol(name, { token, suite }));
    member.#note({ kind: 'lifecycle', step: 'enrolled' });
    await member.#connect();
    return member;
  }

  get device(): Device {
    return this.#device;
  }

  /** Whether it is connected, and enrolled everywhere. */
  get isWhole(): boolean {
    const { home, warnings } = this.#device.status();
    return home !== null && warnings.length === 0;
  }

  /** Begins a negotiation. @returns the code or the state that came of it */
  async negotiate(peer: Member, options: NegotiateOptions): Promise<string> {
    return this.#do('negotiate', peer.name, async () => {
      const { state, keyId } = await this.#device.negotiate(peer.id, options);
      return { outcome: state, keyId };
    });
  }

  async ratchet(options: RatchetOptions = {}): Promise<string> {
    return this.#do('ratchet', undefined, async () => {
      const { epochs } = await this.#device.ratchet(options);
      this.#note({ kind: 'epochs', epochs });
      return { outcome: 'ok' };
    });
  }

  /** Ends its process in the middle of whatever it does, and is back after something else. */
  async drop(meanwhile: () => Promise<void>): Promise<void> {
    this.#dropping ??= this.#dropNow(meanwhile).finally(() => {
      this.#dropping = undefined;
    });
    return this.#dropping;
  }

  /** Takes the PSK of a connection under one of its keys. @returns whether there was a key */
  async takePsk(prng: Prng): Promise<boolean> {
    const active = this.#device.keys().filter(({ state }) => state === 'active');
    if (active.length === 0) return false;
    const { keyId } = prng.pick(active);
    const role = prng.pick(['client', 'server'] as const);
    try {
      const { identity } = await this.#device.exportPsk(keyId, role);
      this.#note({ kind: 'psk', role, identity });
      return true;
    } catch (error) {
      this.#note({ kind: 'warned', ...describe(error) });
      return false;
    }
  }

  /**
   * Peers with whom it has begun a negotiation that is not finished. One that its initiator gave up stays pending at
   * the responder until it expires: nobody tells it.
   */
  unfinished(): readonly string[] {
    const open = this.#device
      .keys()
      .filter(({ state, role }) => role === 'initiator' && (state === 'pending' || state === 'confirmed'));
    return open.map(({ peer }) => this.#nameOf(peer));
  }

  /** Writes down the keys that it holds. */
  noteHoldings(): void {
    for (const { keyId, peer, fingerprint, state } of this.#device.keys()) {
      if (state !== 'active') continue;
      const digest = shortDigest(sha256(this.#device.key(keyId).bytes()));
      this.#note({ kind: 'holds', keyId, peer: this.#nameOf(peer), fingerprint, digest });
    }
  }

  /** Does what must be refused, and writes down how it was. */
  async noteRefusal(task: string, tried: () => Promise<unknown>, peer?: Member): Promise<void> {
    const { outcome } = await tried().then(() => ({ outcome: 'ok' }), describedOutcome);
    this.#note({ kind: 'refusal', task, code: outcome, ...(peer && { peer: peer.name }) });
  }

  async #dropNow(meanwhile: () => Promise<void>): Promise<void> {
    await this.#device.close();
    this.#note({ kind: 'lifecycle', step: 'closed' });
    await meanwhile();
    this.#device = await this.#surroundings.fleet.open(this.name, { suite: this.#options.suite });
    this.#listenTo(this.#device);
    this.#note({ kind: 'lifecycle', step: 'opened' });
    this.#note({ kind: 'epochs', epochs: this.#device.status().epochs });
    await this.#connect();
  }

  async #connect(): Promise<void> {
    await this.#do('connect', undefined, async () => {
      if (this.#options.listens) await this.#device.listen();
      await this.#device.connect();
      return { outcome: 'ok' };
    });
  }

  async #do(task: Task, peer: string | undefined, run: () => Promise<Outcome>): Promise<string> {
    const began = this.#surroundings.history.now;
    const result = await run().catch(describedOutcome);
    this.#note({ kind: 'did', task, began, ...result, ...(peer !== undefined && { peer }) });
    return result.outcome;
  }

  #listenTo(device: Device): void {
    device.on('key', ({ keyId, peer, fingerprint }) => {
      this.#note({ kind: 'key', keyId, peer: this.#nameOf(peer), fingerprint });
    });
    device.on('revoked', (revocation) => {
      if (revocation.device !== undefined) {
        this.#note({ kind: 'told', revoked: this.#nameOf(revocation.device) });
      }
    });
    device.on('warning', ({ code, message }) => this.#note({ kind: 'warned', code, detail: message }));
    device.on('report', ({ reason, node }) => this.#note({ kind: 'reported', reason, node }));
  }

  #nameOf(id: string): string {
    return this.#surroundings.names.get(id) ?? id;
  }

  #note(seen: Happening): void {
    this.#surroundings.history.note(this.name, seen);
  }
}

function describedOutcome(error: unknown): Outcome {
  const { code, detail } = describe(error);
  return { outcome: code, detail };
}

function describe(error: unknown): { readonly code: string; readonly detail: string } {
  const code = error instanceof SymmetraError ? error.code : 'INTERNAL';
  return { code, detail: error instanceof Error ? error.message : String(error) };
}
