import { sha256, toHex, utf8 } from '@symmetra/crypto';
import { Prng, World } from '@symmetra/testing';
import type { DeviceMachine, NodeMachine, Occurrences } from '@symmetra/testing';
import type { Device } from '@symmetra/sdk';
import { SystemChanges } from './system-changes.js';
import { violationsOf } from './system-checker.js';
import type { Violation } from './system-checker.js';
import { EXAM_MS, SystemExam } from './system-exam.js';
import { SystemHappenings } from './system-happenings.js';
import { Historian } from './system-history.js';
import type { History } from './system-history.js';
import { SystemObserver } from './system-observer.js';
import { historyOf } from './system-outcome.js';
import { SystemWork, codeOf } from './system-work.js';

const LOOK_EVERY_MS = 5000;
const SETTLING_MS = 180_000;
/** Codes after which no further attempt makes sense: for those the device is out. */
const FINAL = new Set(['DEVICE_REVOKED']);
/** What a node says that the newest descriptor does not name, or with other keys. */
const FORMER = new Set(['NODE_UNKNOWN', 'NODE_DIFFERS']);

/** What one run is about. */
interface Plan {
  readonly nodes: number;
  readonly threshold: number;
  /** How many nodes run as two processes over one store. */
  readonly shared: number;
  readonly devices: number;
  readonly stormMs: number;
  readonly workEveryMs: number;
  readonly happeningEveryMs: number;
  readonly revocations: number;
  /** How often nodes are added, replaced or removed, at most. */
  readonly changes: number;
  readonly changeEveryMs: number;
  /** CTL-9: small enough that new nodes begin with a snapshot, or too large. */
  readonly snapshotEvery: number;
}

function drawPlan(prng: Prng): Plan {
  const nodes = prng.pick([3, 3, 3, 4, 5]);
  return {
    nodes,
    threshold: nodes === 5 ? 3 : 2,
    shared: prng.pick([0, 1]),
    devices: prng.between(3, 5),
    stormMs: prng.between(30_000, 90_000),
    workEveryMs: prng.pick([600, 1500]),
    happeningEveryMs: prng.pick([2000, 4000, 10_000]),
    revocations: prng.pick([0, 1]),
    changes: prng.pick([0, 1, 1, 2]),
    changeEveryMs: prng.pick([5000, 10_000]),
    snapshotEvery: prng.pick([6, 1024]),
  };
}

/** What came of a run. */
export interface Outcome {
  readonly history: History;
  readonly violations: readonly Violation[];
  /** Hash of everything that was logged and seen: the same seed gives the same. */
  readonly trace: string;
}

/** One whole system, from its beginning through a storm to an examination of everybody. */
export class SystemRun {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #prng: Prng;
  readonly #history: Historian;
  readonly #work: SystemWork;
  readonly #happenings: SystemHappenings;
  readonly #changes: SystemChanges;
  readonly #observer: SystemObserver;
  #stormy = true;

  private constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.#prng = world.prng;
    this.#history = new Historian(() => world.timeline.now);
    this.#work = new SystemWork(world, this.#prng, this.#history);
    this.#happenings = new SystemHappenings(world, this.#prng, {
      reviveNode: (node, afterMs) => this.#after(afterMs, () => this.#startNode(node)),
      reviveDevice: (machine, afterMs) => this.#after(afterMs, () => this.#startDevice(machine)),
    });
    this.#observer = new SystemObserver(world, this.#history);
    this.#changes = new SystemChanges({
      world,
      prng: this.#prng,
      most: plan.changes,
      start: (node) => this.#startNode(node),
      revoked: this.#work.revoked,
    });
    world.onNodeFailed = (node, error) => this.#nodeFailed(node, error);
  }

  /** Runs the system of a seed. */
  static async of(seed: string, occurrences: Occurrences): Promise<Outcome> {
    const plan = drawPlan(new Prng(`${seed} plan`));
    const { nodes, threshold, shared, snapshotEvery } = plan;
    const world = await World.create({ seed, nodes, threshold, shared, snapshotEvery, occurrences });
    return new SystemRun(world, plan).#execute();
  }

  async #execute(): Promise<Outcome> {
    const { timeline } = this.#world;
    await this.#beginning();
    await this.#storm();
    this.#observer.look();
    await timeline.pass(SETTLING_MS);
    for (const pair of this.#work.strangers) {
      await this.#world.settled(EXAM_MS, this.#work.forgetEachOther(...pair));
    }
    this.#observer.look();
    const exam = new SystemExam(this.#world, this.#history, this.#work.revoked);
    await exam.devices();
    await exam.groups();
    await timeline.pass(LOOK_EVERY_MS);
    this.#observer.look();
    this.#observer.lookBack();
    const history = await historyOf(this.#world, this.#history, this.#observer.secrets);
    return { history, violations: violationsOf(history), trace: this.#trace() };
  }

  /** Two devices are there before anything befalls the system; the others enrol in the storm. */
  async #beginning(): Promise<void> {
    const world = this.#world;
    const token = await world.settled(EXAM_MS, this.#work.token(this.#plan.devices));
    for (let i = 0; i < this.#plan.devices; i++) {
      const machine = world.addDevice(`device-${i + 1}`, token);
      if (i < 2) this.#startDevice(machine);
      else this.#after(this.#prng.below(this.#plan.stormMs / 2), () => this.#startDevice(machine));
    }
    await world.timeline.pass(5000);
  }

  async #storm(): Promise<void> {
    const { timeline } = this.#world;
    const { stormMs, workEveryMs, happeningEveryMs, revocations, changeEveryMs } = this.#plan;
    this.#every(workEveryMs, () => this.#work.begin());
    this.#every(happeningEveryMs, () => this.#happenings.begin());
    this.#every(changeEveryMs, () => this.#changes.begin());
    this.#every(LOOK_EVERY_MS, () => this.#observer.look());
    for (let i = 0; i < revocations; i++) {
      this.#after(stormMs / 2 + this.#prng.below(stormMs / 2), () => {
        const { known } = this.#prng.pick(this.#world.devices);
        if (known !== undefined) void this.#work.revoke(known);
      });
    }
    await timeline.pass(stormMs);
    this.#stormy = false;
    this.#happenings.end();
    this.#changes.end();
  }

  #startNode(node: NodeMachine): void {
    if (node.alive || node.isRetired) return;
    this.#world.startNode(node).catch((error: unknown) => this.#nodeFailed(node, error));
  }

  /** The process of a node ended by itself: it is started again, unless it has no place any more. */
  #nodeFailed(node: NodeMachine, error: unknown): void {
    const code = codeOf(error);
    this.#world.occurrences.note(`node-start:${code}`);
    if (FORMER.has(code) && !this.#world.nodes.includes(node)) node.retire();
    else this.#after(this.#prng.between(500, 3000), () => this.#startNode(node));
  }

  #startDevice(machine: DeviceMachine): void {
    if (machine.alive) return;
    machine.start().then(
      (device) => this.#watch(device),
      (error: unknown) => {
        const code = codeOf(error);
        this.#world.occurrences.note(`device-start:${code}`);
        if (!FINAL.has(code)) {
          this.#after(this.#prng.between(500, 3000), () => this.#startDevice(machine));
        }
      },
    );
  }

  #watch(device: Device): void {
    this.#world.occurrences.note('device-started');
    this.#observer.watch(device);
    device.connect().catch((error: unknown) => {
      this.#world.occurrences.note(`connect:${codeOf(error)}`);
    });
  }

  #trace(): string {
    return toHex(sha256(utf8([...this.#world.log, JSON.stringify(this.#history.entries)].join('\n'))));
  }

  #after(ms: number, happen: () => void): void {
    this.#world.timeline.after(ms, happen);
  }

  /** Has something happen again and again, as long as the storm lasts. */
  #every(ms: number, happen: () => void): void {
    this.#after(this.#prng.between(1, 2 * ms), () => {
      if (!this.#stormy) return;
      happen();
      this.#every(ms, happen);
    });
  }
}
