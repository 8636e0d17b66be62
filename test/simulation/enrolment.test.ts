import { Secret, equalConstantTime, toHex } from '@symmetra/crypto';
import type { DeviceChain, NodeChain, TokenRecord } from '@symmetra/protocol';
import { CRASH_POINTS, FAULT_KINDS, SecretLedger, Simulation } from '@symmetra/testing';
import { enrollingDevice, enrollingNode } from './enrolment-actors.js';
import { NODE_IDS, watchedContext } from './node-identity.js';
import { simulate } from './seeds.js';
import type { Run } from './seeds.js';

const EXPECTED = [
  ...FAULT_KINDS.map((kind) => `fault:${kind}`),
  ...CRASH_POINTS.flatMap((point) => [`crash:device:${point}`, `crash:node:${point}`]),
  'device:offered',
  'device:offered>confirming',
  'device:confirming>confirming',
  'device:confirming>enrolled',
  'node:reserved',
  'node:reserved>spent',
  'node:reservation expired',
  'node:another device enrols with the second use',
  'outcome:one token, one device',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:RESERVATION_UNKNOWN',
  'refused:TOKEN_CONTESTED',
  'refused:TOKEN_SPENT',
];

simulate('enrolment', EXPECTED, (run) => new EnrolmentRun(run).execute());

/** One token, three nodes, one or two devices that try to use it. */
class EnrolmentRun {
  readonly #run: Run;
  readonly #simulation: Simulation;
  readonly #devices: readonly string[];
  readonly #uses: number;
  readonly #ledger = new SecretLedger();
  readonly #bootstrapKeys = new Map<string, string>();

  constructor(run: Run) {
    this.#run = run;
    this.#simulation = new Simulation(run.seed, run.occurrences);
    const { prng } = this.#simulation;
    this.#devices = prng.chance(0.4) ? ['alice', 'mallory'] : ['alice'];
    this.#uses = prng.between(1, 2);
  }

  execute(): void {
    const { suite } = this.#run;
    const simulation = this.#simulation;
    const context = watchedContext(suite);
    const secret = simulation.prng.bytes(32);
    const token = (): Secret<'TokenSecret'> => Secret.of('TokenSecret', secret.slice());
    simulation.observe((party, entry, before, after) => this.#note(party, entry, before, after));
    for (const nodeId of NODE_IDS) {
      simulation.spawn(nodeId, enrollingNode(context, suite, nodeId, token(), this.#uses));
    }
    for (const device of this.#devices) simulation.spawn(device, enrollingDevice(context, suite, token()));
    simulation.run({ stormy: simulation.prng.between(20, 200), fair: 400 });
    this.#checkUses();
    for (const device of this.#devices) this.#checkDevice(device);
  }

  #note(party: string, entry: string, before: object | undefined, after: object | undefined): void {
    if (entry.startsWith('enrolment/')) this.#noteDevice(before, after);
    else if (entry === 'token') this.#noteClaims(before as TokenRecord | undefined, after as TokenRecord);
    if (after !== undefined && entry !== 'token') this.#ledger.remember(`${party}/${entry}`, after);
  }

  #noteDevice(before: object | undefined, after: object | undefined): void {
    const kind = (state: object | undefined): string =>
      (state as { kind: string } | undefined)?.kind ?? 'enrolled';
    this.#run.occurrences.note(before ? `device:${kind(before)}>${kind(after)}` : `device:${kind(after)}`);
  }

  #noteClaims(before: TokenRecord | undefined, after: TokenRecord): void {
    const { occurrences } = this.#run;
    const old = before?.claims ?? [];
    const gone = old.filter(
      (claim) => !after.claims.some((one) => equalConstantTime(one.offerHash, claim.offerHash)),
    );
    if (gone.some((claim) => claim.kind === 'spent')) {
      throw new Error('a spent use of the token was given back');
    }
    if (gone.length > 0 || after.claims.length > old.length) {
      occurrences.note(after.claims.length > old.length ? 'node:reserved' : 'node:reservation expired');
    }
    if (this.#renewed(old, after.claims)) occurrences.note('node:reservation expired');
    const spent = (claims: TokenRecord['claims']): number =>
      claims.filter(({ kind }) => kind === 'spent').length;
    if (spent(after.claims) > spent(old)) occurrences.note('node:reserved>spent');
    if (spent(after.claims) === 2) occurrences.note('node:another device enrols with the second use');
    if (after.claims.length > after.uses) throw new Error('a node set aside more uses than the token has');
  }

  /** Whether the same offer was reserved anew, with another answer. */
  #renewed(old: TokenRecord['claims'], now: TokenRecord['claims']): boolean {
    return old.some((claim) =>
      now.some(
        (one) =>
          equalConstantTime(one.offerHash, claim.offerHash) && !equalConstantTime(one.answer, claim.answer),
      ),
    );
  }

  /** One use of the token enrols one device at each node, and nobody is turned away while a use is left. */
  #checkUses(): void {
    for (const nodeId of NODE_IDS) {
      const node = this.#simulation.process(nodeId);
      const record = node.get<TokenRecord>('token');
      const spent = record?.claims.filter(({ kind }) => kind === 'spent').length;
      const expected = Math.min(this.#uses, this.#devices.length);
      const enrolled = node.names('chain/').length;
      if (spent !== expected || enrolled !== expected) {
        throw new Error(
          `${nodeId} has ${spent} uses spent and ${enrolled} devices enrolled, not ${expected}`,
        );
      }
      if (this.#uses === 1) this.#run.occurrences.note('outcome:one token, one device');
    }
  }

  /** Both ends hold the same epoch 0, or the device knows that it is not enrolled at that node. */
  #checkDevice(name: string): void {
    const device = this.#simulation.process(name);
    for (const nodeId of NODE_IDS) {
      const chain = device.get<DeviceChain>(`chain/${nodeId}`);
      if (chain === undefined) continue;
      const other = this.#simulation.process(nodeId).get<NodeChain>(`chain/${toHex(chain.parties.deviceId)}`);
      if (other === undefined) throw new Error(`${name} believes to be enrolled at ${nodeId}`);
      const same =
        equalConstantTime(chain.keys.ratchetKey.bytes, other.keys.ratchetKey.bytes) &&
        equalConstantTime(chain.keys.chainKey.bytes, other.keys.chainKey.bytes) &&
        equalConstantTime(chain.keys.evidenceKey.bytes, other.keys.evidenceKey.bytes);
      if (!same) throw new Error(`${name} and ${nodeId} hold different keys`);
      this.#checkDistinct(name, nodeId, chain);
      this.#checkErased(name, nodeId);
    }
  }

  #checkDistinct(name: string, nodeId: string, chain: DeviceChain): void {
    const key = toHex(chain.keys.ratchetKey.bytes);
    const owner = this.#bootstrapKeys.get(key);
    if (owner !== undefined) throw new Error(`${owner} and ${name} at ${nodeId} have the same keys`);
    this.#bootstrapKeys.set(key, `${name} at ${nodeId}`);
  }

  /** Of the enrolment itself nothing is left on the device: no token, no KEM secrets, no bootstrap key. */
  #checkErased(name: string, nodeId: string): void {
    const device = this.#simulation.process(name);
    if (this.#ledger.exposed(device.disk).has(`${name}/enrolment/${nodeId}`)) {
      throw new Error(`${name} keeps secrets of its enrolment at ${nodeId}`);
    }
  }
}
