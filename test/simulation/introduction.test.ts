import { equalConstantTime, toHex } from '@symmetra/crypto';
import { deviceIdOf } from '@symmetra/protocol';
import type { DeviceChain, NodeChain, TokenRecord } from '@symmetra/protocol';
import { CRASH_POINTS, FAULT_KINDS, SecretLedger, Simulation } from '@symmetra/testing';
import { introducedDevice } from './introduction-device.js';
import { newNode, oldNode } from './introduction-nodes.js';
import { DEVICE, NEW_NODE } from './introduction-world.js';
import type { IntroductionWorld } from './introduction-world.js';
import { NODE_IDS, watchedContext } from './node-identity.js';
import { simulate } from './seeds.js';
import type { Run } from './seeds.js';

const EXPECTED = [
  ...FAULT_KINDS.map((kind) => `fault:${kind}`),
  ...CRASH_POINTS.flatMap((point) => [`crash:device:${point}`, `crash:node:${point}`]),
  'device:introducing',
  'device:offered',
  'device:confirming',
  'device:chain',
  'node:part',
  'node:introduced',
  'node:introduction expired',
  'node:chain',
  'outcome:a node lied',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:TOKEN_UNKNOWN',
];

simulate('introduction', EXPECTED, (run) => new IntroductionRun(run).execute());

/** ENR-9 to ENR-12: one device, three nodes that introduce it, of which one may lie, and a fourth one. */
class IntroductionRun {
  readonly #run: Run;
  readonly #simulation: Simulation;
  readonly #world: IntroductionWorld;
  readonly #ledger = new SecretLedger();

  constructor(run: Run) {
    this.#run = run;
    this.#simulation = new Simulation(run.seed, run.occurrences);
    const { prng } = this.#simulation;
    const tokenId = prng.bytes(16);
    const enrolmentNonce = prng.bytes(32);
    this.#world = {
      context: watchedContext(run.suite),
      suite: run.suite,
      tokenId,
      enrolmentNonce,
      deviceId: deviceIdOf(tokenId, enrolmentNonce),
      facts: { account: 'household', name: 'thermometer', tags: [] },
      liar: prng.chance(0.3) ? prng.pick(NODE_IDS) : undefined,
    };
  }

  execute(): void {
    const simulation = this.#simulation;
    simulation.observe((party, entry, before, after) => this.#note(party, entry, before, after));
    for (const nodeId of NODE_IDS) simulation.spawn(nodeId, oldNode(this.#world, nodeId));
    simulation.spawn(NEW_NODE, newNode(this.#world));
    simulation.spawn(DEVICE, introducedDevice(this.#world));
    simulation.run({ stormy: simulation.prng.between(20, 250), fair: 600 });
    this.#check();
  }

  #note(party: string, entry: string, before: object | undefined, after: object | undefined): void {
    const { occurrences } = this.#run;
    if (after === undefined) {
      if (entry === 'introduced') occurrences.note('node:introduction expired');
      return;
    }
    const side = party === DEVICE ? 'device' : 'node';
    const kind = (after as { readonly kind?: string }).kind;
    if (entry === 'enrolling') occurrences.note(`device:${kind ?? ''}`);
    else occurrences.note(`${side}:${entry.split('/')[0] ?? entry}`);
    if (party === DEVICE && entry !== 'chain') this.#ledger.remember(entry, after);
    if (entry !== 'introduced') return;
    const { account } = (after as { readonly record: TokenRecord }).record;
    if (account !== this.#world.facts.account) throw new Error('the new node believed one node alone');
    if (before === undefined && this.#world.liar !== undefined) occurrences.note('outcome:a node lied');
  }

  /** Both ends hold the same epoch 0 under the device's own id, and the device nothing of how it came about. */
  #check(): void {
    const device = this.#simulation.process(DEVICE);
    const chain = device.get<DeviceChain>('chain');
    const chains = this.#simulation.process(NEW_NODE).names('chain/');
    const other = this.#simulation.process(NEW_NODE).get<NodeChain>(`chain/${toHex(this.#world.deviceId)}`);
    if (chain === undefined || other === undefined || chains.length !== 1) {
      throw new Error('the device is not enrolled at the new node, or another one is');
    }
    for (const name of ['ratchetKey', 'chainKey', 'evidenceKey'] as const) {
      if (!equalConstantTime(chain.keys[name].bytes, other.keys[name].bytes)) {
        throw new Error('device and node hold different keys');
      }
    }
    for (const entry of ['introducing', 'enrolling']) {
      const isExposed = this.#ledger.exposed(device.disk).has(entry);
      if (isExposed) throw new Error(`the device keeps secrets of ${entry}`);
    }
  }
}
