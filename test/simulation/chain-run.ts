import { equalConstantTime } from '@symmetra/crypto';
import { decodeState, encodeState, newestKeys, nodeCodePart, promotionCode } from '@symmetra/protocol';
import type { DeviceChain, EpochKeys, NodeChain, SessionEnd } from '@symmetra/protocol';
import { Simulation } from '@symmetra/testing';
import type { SimulatedDisk, SimulatedProcess } from '@symmetra/testing';
import { NODE, chainDevice } from './chain-device.js';
import type { DeviceGoal } from './chain-device.js';
import { chainNode } from './chain-node.js';
import type { Alarm } from './chain-node.js';
import { STAGES, bothEnds } from './chain-setup.js';
import type { BothEnds } from './chain-setup.js';
import { ChainThief } from './chain-thief.js';
import { watchedContext } from './node-identity.js';
import type { Run } from './seeds.js';

/** What happens to the device: nothing, it is cloned, or it is restored from a backup. */
type Fate = 'plain' | 'clone' | 'backup';

/** What one run of a chain is about. */
export interface ChainPlan {
  readonly goal: DeviceGoal;
  readonly fate: Fate;
  readonly stormy: number;
}

const FAIR_TICKS = 600;
/** Enough for a device that was cloned or restored to find its place, and for the node to notice it. */
const AFTERMATH_TICKS = 200;

/** One device, one node, one chain; thieves copy disks at random moments. */
export class ChainRun {
  readonly #run: Run;
  readonly #simulation: Simulation;
  readonly #plan: ChainPlan;
  readonly #thief: ChainThief;
  readonly #ends: SessionEnd[] = [];

  constructor(run: Run, draw: (simulation: Simulation) => ChainPlan) {
    this.#run = run;
    this.#simulation = new Simulation(run.seed, run.occurrences);
    this.#plan = draw(this.#simulation);
    this.#thief = new ChainThief(run.occurrences);
  }

  execute(): void {
    const { suite, occurrences } = this.#run;
    const context = watchedContext(suite);
    const initial = encodeState(bothEnds(context, suite, NODE, this.#simulation.prng));
    const ends = (): BothEnds => decodeState<BothEnds>(initial);
    this.#simulation.observe((party, entry, before, after) => {
      if (entry === 'chain') this.#note(party, before, after as DeviceChain | NodeChain);
    });
    const onSession = (end: SessionEnd): void => void this.#ends.push(end);
    const note = (what: string): void => occurrences.note(what);
    this.#simulation.spawn(
      NODE,
      chainNode(context, suite, () => ends().node, { session: onSession, note }),
    );
    const boot = chainDevice(context, suite, () => ends().device, this.#plan.goal, onSession);
    const alice = this.#simulation.spawn('alice', boot);
    this.#scheduleThefts(alice);
    if (this.#plan.fate === 'plain') this.#plain();
    else this.#fateful(alice, (disk) => this.#simulation.spawn('mallory', boot, disk));
    this.#thief.judge();
  }

  /** Nobody was cloned: both ends share an epoch, the next attempt completes, and nobody is accused. */
  #plain(): void {
    this.#simulation.run({ stormy: this.#plan.stormy, fair: FAIR_TICKS });
    this.#checkShared();
    this.#plan.goal.epoch = this.#device('alice').keys.epoch + 1;
    this.#simulation.finish(FAIR_TICKS);
    this.#checkShared();
    if (this.#alarm !== undefined) throw new Error('an alarm without a clone');
    this.#run.occurrences.note('outcome:shared epoch, next step completes');
  }

  /** A copy of the device's disk is used beside it, or in its place. */
  #fateful(alice: SimulatedProcess, spawnClone: (disk: SimulatedDisk) => void): void {
    const { prng } = this.#simulation;
    const taken = prng.below(this.#plan.stormy);
    this.#simulation.advance(taken);
    const copy = alice.disk.copy();
    this.#simulation.advance(prng.below(this.#plan.stormy));
    const cloned = this.#plan.fate === 'clone' && copy.names().length > 0;
    if (cloned) spawnClone(copy);
    else if (this.#plan.fate === 'backup') this.#simulation.restart('alice', copy);
    this.#simulation.advance(prng.below(this.#plan.stormy));
    this.#plan.goal.epoch += 1;
    this.#simulation.calm();
    this.#simulation.advance(AFTERMATH_TICKS);
    this.#judgeOutcome(cloned ? ['alice', 'mallory'] : ['alice']);
  }

  /**
   * Either the node found out that somebody holds a state which its chain has left, or the chain healed. A device that
   * the chain has left and that still asks is found out, unless the chain is two or more epochs further.
   */
  #judgeOutcome(holders: readonly string[]): void {
    const { fate } = this.#plan;
    const node = this.#node();
    if (this.#alarm !== undefined) {
      this.#run.occurrences.note(`outcome:${fate} found out`);
      return;
    }
    for (const name of holders) {
      const process = this.#simulation.process(name);
      const chain = process.get<DeviceChain>('chain');
      if (chain === undefined) continue;
      if (equalConstantTime(node.keys.evidenceKey.bytes, newestKeys(chain).evidenceKey.bytes)) {
        this.#run.occurrences.note(`outcome:${fate} healed`);
      } else if (chain.keys.epoch + 1 < node.keys.epoch) {
        this.#run.occurrences.note(`outcome:${fate} shut out`);
      } else if (!process.idle) {
        throw new Error(`the node did not notice that it left the state of ${name}`);
      }
    }
  }

  #scheduleThefts(alice: SimulatedProcess): void {
    const { prng } = this.#simulation;
    for (let i = 0; i < 2; i++) {
      this.#simulation.after(prng.between(1, this.#plan.stormy), () => {
        this.#thief.copy('device', alice.disk, alice.get<DeviceChain>('chain'));
        const node = this.#simulation.process(NODE);
        this.#thief.copy('node', node.disk, node.get<NodeChain>('chain'));
      });
    }
  }

  #note(party: string, before: object | undefined, after: DeviceChain | NodeChain): void {
    this.#thief.learn(after);
    if (party === NODE) this.#noteNode(before as NodeChain | undefined, after);
    else this.#noteDevice(before as DeviceChain | undefined, after as DeviceChain);
    const early = before as { readonly keys: EpochKeys } | undefined;
    if (early && stageIndex(after.keys) < stageIndex(early.keys)) {
      throw new Error(`${party} went back a stage`);
    }
    if (early && after.keys.epoch < early.keys.epoch) throw new Error(`${party} went back an epoch`);
  }

  #noteDevice(before: DeviceChain | undefined, after: DeviceChain): void {
    if (before && before.kind !== after.kind) {
      this.#run.occurrences.note(`device:${before.kind}>${after.kind}`);
    }
  }

  #noteNode(before: NodeChain | undefined, after: NodeChain): void {
    const { occurrences } = this.#run;
    if (before === undefined) return;
    if (after.keys.epoch > before.keys.epoch) occurrences.note('node:pending>current');
    else if (after.pending && before.pending && after.pending !== before.pending) {
      occurrences.note('node:pending>another pending');
    } else if (after.pending && !before.pending) occurrences.note('node:current>pending');
  }

  #checkShared(): void {
    const device = this.#device('alice');
    const node = this.#node();
    const same =
      device.kind === 'settled' &&
      node.pending === undefined &&
      device.keys.epoch === node.keys.epoch &&
      device.keys.stage === node.keys.stage &&
      equalConstantTime(device.keys.ratchetKey.bytes, node.keys.ratchetKey.bytes) &&
      equalConstantTime(device.keys.evidenceKey.bytes, node.keys.evidenceKey.bytes);
    if (!same) throw new Error('the ends do not share an epoch');
    if (device.keys.counter < node.keys.counter) throw new Error('the node is sessions ahead of its device');
    this.#checkCode(device, node);
  }

  /** Both ends show the same promotion code. */
  #checkCode(device: DeviceChain, node: NodeChain): void {
    const own = device.kind === 'settled' ? device.code : undefined;
    const other = nodeCodePart(node);
    if (own === undefined && other === undefined) return;
    if (!own || !other || promotionCode([own]) !== promotionCode([other])) {
      throw new Error('the promotion codes differ');
    }
  }

  #device(name: string): DeviceChain {
    return this.#simulation.process(name).get<DeviceChain>('chain') as DeviceChain;
  }

  #node(): NodeChain {
    return this.#simulation.process(NODE).get<NodeChain>('chain') as NodeChain;
  }

  get #alarm(): Alarm | undefined {
    return this.#simulation.process(NODE).get<Alarm>('alarm');
  }
}

function stageIndex(keys: EpochKeys): number {
  return STAGES.indexOf(keys.stage as (typeof STAGES)[number]);
}
