import { sha256, toHex, utf8 } from '@symmetra/crypto';
import { eventHash } from '@symmetra/protocol';
import { Prng, World, linesWithSecrets } from '@symmetra/testing';
import type { DeviceMachine, NodeMachine, Occurrences, TestAdministrator } from '@symmetra/testing';
import type { Device, GroupInfo } from '@symmetra/sdk';
import { violationsOf } from './system-checker.js';
import type { Violation } from './system-checker.js';
import { SystemHappenings } from './system-happenings.js';
import { Historian } from './system-history.js';
import type { History } from './system-history.js';
import { SystemWork, codeOf, digestOf } from './system-work.js';

const STAGES = ['', 'bootstrap', 'production'];
const LOOK_EVERY_MS = 5000;
const SETTLING_MS = 180_000;
const EXAM_MS = 60_000;
const LIST_EVENTS = '/symmetra.admin.v1.AdminService/ListEvents';
/** Codes after which no further attempt makes sense: for those the device is out. */
const FINAL = new Set(['DEVICE_REVOKED']);

/** What one run is about. */
interface Plan {
  readonly nodes: number;
  readonly threshold: number;
  readonly devices: number;
  readonly stormMs: number;
  readonly workEveryMs: number;
  readonly happeningEveryMs: number;
  readonly revocations: number;
}

function drawPlan(prng: Prng): Plan {
  const nodes = prng.pick([3, 3, 3, 4, 5]);
  return {
    nodes,
    threshold: nodes === 5 ? 3 : 2,
    devices: prng.between(3, 5),
    stormMs: prng.between(30_000, 90_000),
    workEveryMs: prng.pick([600, 1500]),
    happeningEveryMs: prng.pick([2000, 4000, 10_000]),
    revocations: prng.pick([0, 1]),
  };
}

/** What is looked at in a line of a log. */
interface LogLine {
  readonly node?: string;
  /** `report` is what a device told. */
  readonly event?: string;
  readonly accused?: string;
  readonly err?: { readonly code?: string };
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
  /** Keys of devices, hexadecimal. */
  readonly #secrets = new Set<string>();
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
  }

  /** Runs the system of a seed. */
  static async of(seed: string, occurrences: Occurrences): Promise<Outcome> {
    const plan = drawPlan(new Prng(`${seed} plan`));
    const world = await World.create({ seed, nodes: plan.nodes, threshold: plan.threshold, occurrences });
    return new SystemRun(world, plan).#execute();
  }

  async #execute(): Promise<Outcome> {
    const { timeline } = this.#world;
    await this.#beginning();
    await this.#storm();
    await timeline.pass(SETTLING_MS);
    for (const pair of this.#work.strangers) {
      await this.#world.settled(EXAM_MS, this.#work.forgetEachOther(...pair));
    }
    await this.#examine();
    await this.#examineGroups();
    await timeline.pass(LOOK_EVERY_MS);
    this.#look();
    this.#lookBack();
    const history = await this.#written();
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
    const { stormMs, workEveryMs, happeningEveryMs, revocations } = this.#plan;
    this.#every(workEveryMs, () => this.#work.begin());
    this.#every(happeningEveryMs, () => this.#happenings.begin());
    this.#every(LOOK_EVERY_MS, () => this.#look());
    for (let i = 0; i < revocations; i++) {
      this.#after(stormMs / 2 + this.#prng.below(stormMs / 2), () => {
        const { known } = this.#prng.pick(this.#world.devices);
        if (known !== undefined) void this.#work.revoke(known);
      });
    }
    await timeline.pass(stormMs);
    this.#stormy = false;
    this.#happenings.end();
  }

  /** Everything is well: every device that is not revoked takes a step at each node, and makes a key with each other. */
  async #examine(): Promise<void> {
    const fit = this.#world.devices.filter(({ known }) => !this.#work.revoked.has(known?.id ?? ''));
    for (const machine of fit) {
      const { device, name } = machine;
      if (device === undefined) {
        this.#history.note(name, { kind: 'exam', task: 'be there', code: 'ABSENT' });
        continue;
      }
      await this.#exam(device, 'ratchet', async () => this.#ratchetEverywhere(device));
      for (const other of fit) {
        const peer = other.known?.id;
        if (peer === undefined || other === machine) continue;
        await this.#exam(device, 'negotiate', async () => {
          const { state } = await device.negotiate(peer);
          return state === 'active' ? 'ok' : state;
        });
      }
    }
  }

  /** Every group that has a manager gets another epoch, which all its members hold then. */
  async #examineGroups(): Promise<void> {
    const rotated = new Map<string, { readonly manager: Device; readonly info: GroupInfo }>();
    const newest = new Map<string, number>();
    for (const { groupId, epoch } of this.#world.devices.flatMap(
      ({ device }) => device?.group.list() ?? [],
    )) {
      newest.set(groupId, Math.max(epoch, newest.get(groupId) ?? 0));
    }
    for (const { device: manager, known } of this.#world.devices) {
      if (manager === undefined || this.#work.revoked.has(known?.id ?? '')) continue;
      for (const { groupId, epoch, manager: may } of manager.group.list()) {
        // Who holds an earlier epoch may have been put out since.
        if (!may || epoch < (newest.get(groupId) ?? 0) || rotated.has(groupId)) continue;
        await this.#exam(manager, 'rotate', async () => {
          rotated.set(groupId, { manager, info: await manager.group.rotate(groupId) });
          return 'ok';
        });
      }
    }
    await this.#world.timeline.pass(EXAM_MS);
    for (const [groupId, { manager, info }] of rotated) {
      const holders = this.#world.devices.filter(({ device }) =>
        device?.group.list().some((held) => held.groupId === groupId && held.epochId === info.epochId),
      );
      await this.#exam(manager, `epoch ${info.epoch} at ${info.members}`, async () =>
        holders.length === info.members ? 'ok' : `ONLY_${holders.length}`,
      );
    }
  }

  async #ratchetEverywhere(device: Device): Promise<string> {
    const failed: string[] = [];
    const note = ({ code }: { readonly code: string }): void => void failed.push(code);
    device.on('warning', note);
    const { epochs } = await device.ratchet();
    device.off('warning', note);
    if (failed.length > 0) return failed.join(' ');
    return Object.keys(epochs).length === this.#world.nodes.length ? 'ok' : 'NOT_ENROLLED_EVERYWHERE';
  }

  async #exam(device: Device, task: string, work: () => Promise<string>): Promise<void> {
    let code: string;
    try {
      code = await this.#world.settled(EXAM_MS, work());
    } catch (error) {
      code = codeOf(error) === 'INTERNAL' ? String(error) : codeOf(error);
    }
    this.#history.note(device.id, { kind: 'exam', task, code });
  }

  #startNode(node: NodeMachine): void {
    if (node.alive) return;
    this.#world.startNode(node).catch((error: unknown) => {
      this.#world.occurrences.note(`node-start:${codeOf(error)}`);
      this.#after(this.#prng.between(500, 3000), () => this.#startNode(node));
    });
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
    const { id } = device;
    this.#world.occurrences.note('device-started');
    device.on('key', ({ keyId, peer, state }) => {
      this.#history.note(id, { kind: 'key', keyId, peer, state });
    });
    device.on('warning', ({ code }) => this.#history.note(id, { kind: 'warned', code }));
    device.on('report', ({ node, reason }) => this.#history.note(id, { kind: 'reported', node, reason }));
    device.connect().catch((error: unknown) => {
      this.#world.occurrences.note(`connect:${codeOf(error)}`);
    });
  }

  /** What all devices hold now. */
  #look(): void {
    for (const { device } of this.#world.devices) {
      if (device === undefined) continue;
      const { stage, epochs } = device.status();
      this.#history.note(device.id, { kind: 'stands', stage: STAGES.indexOf(stage), epochs });
      for (const { groupId } of device.group.list()) {
        try {
          const { epochId, bytes } = device.group.key(groupId);
          this.#secrets.add(toHex(bytes));
          this.#history.note(device.id, { kind: 'epoch', groupId, epochId, digest: digestOf(bytes) });
        } catch (error) {
          this.#world.occurrences.note(`group-key:${codeOf(error)}`);
        }
      }
    }
  }

  /** What every device says at the end of each key that anybody ever had. */
  #lookBack(): void {
    const ids = new Set(
      this.#history.entries.flatMap(({ seen }) => ('keyId' in seen ? (seen.keyId ?? []) : [])),
    );
    for (const { device } of this.#world.devices) {
      if (device === undefined) continue;
      for (const keyId of ids) {
        try {
          const key = device.key(keyId);
          const { peer, state } = key;
          const bytes = key.bytes();
          this.#secrets.add(toHex(bytes));
          this.#history.note(device.id, { kind: 'key', keyId, peer, state, digest: digestOf(bytes) });
        } catch (error) {
          this.#history.note(device.id, { kind: 'no-key', keyId, code: codeOf(error) });
        }
      }
    }
  }

  async #written(): Promise<History> {
    const { administrator, nodes, seals, sealed } = this.#world;
    const lines = this.#world.log.map((line) => JSON.parse(line) as LogLine);
    const liars = nodes.filter(({ mood }) => mood.hasLied).map(({ id }) => id);
    // Whoever garbles what it asks finds that others do not answer it: what a liar says of others counts for nothing.
    const honest = lines.filter(({ node = '' }) => !liars.includes(node));
    const logs: Record<string, readonly string[]> = {};
    for (const { id } of nodes) {
      logs[id] = await this.#world.settled(EXAM_MS, eventHashes(administrator, id));
    }
    return {
      entries: this.#history.entries,
      accepted: this.#history.accepted,
      revoked: this.#history.revoked,
      logs,
      repeatedSeals: [...seals.repeated, ...sealed.violations],
      secretLines: linesWithSecrets(this.#world.log, new Set([...seals.keys, ...this.#secrets])),
      failures: [...this.#world.failures, ...unnamedFailures(lines)],
      accused: honest.flatMap(({ event, accused = [] }) => (event === 'report' ? [] : accused)),
      liars,
    };
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

/** Errors that nodes and devices logged and that are not their own. */
function unnamedFailures(lines: readonly LogLine[]): readonly string[] {
  return lines.flatMap((line) =>
    line.err !== undefined && line.err.code === undefined ? JSON.stringify(line) : [],
  );
}

/** The hashes of the control events that a node hands out, in their order. */
async function eventHashes(administrator: TestAdministrator, node: string): Promise<readonly string[]> {
  const hashes: string[] = [];
  for (;;) {
    const from = hashes.length + 1;
    const { events } = await administrator.call(node, LIST_EVENTS, { from, limit: 100 });
    if (events.length === 0) return hashes;
    hashes.push(...events.map(({ event }) => toHex(eventHash(event))));
  }
}
