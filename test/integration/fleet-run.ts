import { fromBase32 } from '@symmetra/crypto';
import type { NegotiateOptions } from '@symmetra/sdk';
import { Prng } from '@symmetra/testing';
import type { Occurrences } from '@symmetra/testing';
import type { FleetHistory } from './fleet-history.js';
import { Member } from './fleet-member.js';
import type { MemberOptions } from './fleet-member.js';
import type { SocketCutter } from './fleet-sockets.js';
import { until } from './sdk-fleet.js';
import type { Fleet } from './sdk-fleet.js';

/** Tasks under way at the same time. */
const WIDTH = 24;
const ENROL_WIDTH = 12;
/** Uses of one token. */
const TOKEN_USES = 25;
/** How long a task waits for a peer that may be away; the key goes on in the background. */
const WAIT_MS = 1500;
const START_ATTEMPTS = 10;
const TURNS = 4;
const REASON = 'lost';
const REVOKED_SHARE = 0.15;

/** What tasks are drawn from, with their weights in percent. */
const TASKS = [
  ['negotiate', 58],
  ['ratchet', 12],
  ['drop', 13],
  ['cut', 6],
  ['psk', 8],
  ['revoke', 3],
] as const;
type Task = (typeof TASKS)[number][0];

/** How much a fleet goes through. */
interface FleetPlan {
  readonly devices: number;
  readonly rounds: number;
  /** Of each of the three parts of a round: all nodes up, one stopping, it starting again. */
  readonly tasks: number;
}

interface RunParts {
  readonly fleet: Fleet;
  readonly history: FleetHistory;
  readonly occurrences: Occurrences;
  readonly sockets: SocketCutter;
  readonly prng: Prng;
  readonly plan: FleetPlan;
}

/**
 * A fleet of real devices at three real nodes. Everything that is chosen follows from the seed; what happens at the same
 * time does not.
 */
export class FleetRun {
  readonly #parts: RunParts;
  readonly #members: Member[] = [];
  readonly #names = new Map<string, string>();
  #down: string | undefined;
  /** Control events are made one after the other. */
  #lastEvent: Promise<unknown> = Promise.resolve();

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Enrols all devices; a node is away for a third of them. */
  async enrol(): Promise<void> {
    const { fleet, prng, plan } = this.#parts;
    const tokens: string[] = [];
    for (let i = 0; i < plan.devices; i += TOKEN_USES) tokens.push(await fleet.token(TOKEN_USES));
    const options = Array.from({ length: plan.devices }, (_, i) => ({
      name: `d${String(i).padStart(3, '0')}`,
      token: tokens[Math.floor(i / TOKEN_USES)] ?? '',
      suite: prng.chance(0.9) ? 1 : prng.pick([2, 3]),
      listens: prng.chance(0.3),
    }));
    const third = Math.ceil(plan.devices / 3);
    const enrol = async (part: number) => this.#enrolAll(options.slice(part * third, (part + 1) * third));
    await enrol(0);
    await this.#withoutNode(prng.pick(fleet.network.nodeIds), async () => enrol(1));
    await enrol(2);
    this.#members.sort((a, b) => (a.name < b.name ? -1 : 1));
    await this.#untilWhole();
  }

  /** Random tasks, while one node after the other stops and starts. */
  async live(): Promise<void> {
    const { fleet, plan, prng } = this.#parts;
    for (let round = 0; round < plan.rounds; round++) {
      const nodeId = fleet.network.nodeIds[(round + prng.below(2)) % fleet.network.nodeIds.length] ?? '';
      const before = this.#someTasks();
      const without = this.#withoutNode(nodeId, async () => {
        await before;
        await this.#someTasks();
      });
      await Promise.all([before, without]);
      await this.#someTasks();
      await this.#untilWhole();
    }
  }

  /** What was begun comes to its end; who is revoked is refused; everybody else agrees on one more key. */
  async finish(): Promise<void> {
    const { prng } = this.#parts;
    await this.#settle();
    const living = this.#living();
    const revoked = this.#members.filter(({ isRevoked }) => isRevoked);
    await inParallel(revoked, WIDTH, async (member) => this.#refuse(member, prng.pick(living)));
    const pairs = living.flatMap((member, i) =>
      i % 2 === 0 ? [[member, living[(i + 1) % living.length]]] : [],
    );
    await inParallel(pairs, WIDTH, async ([one, other]) => {
      if (one !== undefined && other !== undefined) await this.#lastKey(one, other);
    });
    for (const member of this.#members) member.noteHoldings();
  }

  async #enrolAll(options: readonly MemberOptions[]): Promise<void> {
    const { fleet, history } = this.#parts;
    const names = this.#names;
    await inParallel(options, ENROL_WIDTH, async (one) => {
      this.#members.push(await Member.enrol({ fleet, history, names }, one));
    });
  }

  #living(): readonly Member[] {
    return this.#members.filter(({ isRevoked }) => !isRevoked);
  }

  /** Stops a node, and starts it from its disk when the work is done. */
  async #withoutNode(nodeId: string, work: () => Promise<void>): Promise<void> {
    const { network } = this.#parts.fleet;
    await this.#inTurn(async () => {
      this.#down = nodeId;
    });
    await network.stopNode(nodeId);
    await work();
    await network.reopenStore(nodeId);
    for (let attempt = 1; ; attempt++) {
      try {
        await network.startNode(nodeId);
        break;
      } catch (error) {
        // A connection that is being made may have its port for a moment.
        if (attempt === START_ATTEMPTS || (error as { code?: unknown }).code !== 'PORT_IN_USE') throw error;
        await pause(100);
      }
    }
    this.#down = undefined;
    this.#parts.occurrences.note('restart');
  }

  async #someTasks(): Promise<void> {
    const { plan, prng } = this.#parts;
    const tasks = Array.from({ length: plan.tasks }, () => this.#draw(prng.below(100)));
    await inParallel(tasks, WIDTH, async (run) => run());
  }

  /** Chooses one task: who does it, with whom, and how. */
  #draw(percent: number): () => Promise<void> {
    const { prng } = this.#parts;
    let rest = percent;
    const [task] = TASKS.find(([, weight]) => (rest -= weight) < 0) ?? ['negotiate'];
    const who = this.#pick(this.#members);
    const whom = this.#pick(this.#members.filter((member) => member !== who));
    const options = this.#options();
    const own = new Prng(String(prng.u32()));
    return async () => this.#perform(task, { who, whom, options, own });
  }

  /** A device that is revoked is chosen more often than by chance: it must get nothing. */
  #pick(members: readonly Member[]): Member {
    const { prng } = this.#parts;
    const revoked = members.filter(({ isRevoked }) => isRevoked);
    return prng.pick(revoked.length > 0 && prng.chance(REVOKED_SHARE) ? revoked : members);
  }

  /** Two keys in five have a KEM between the devices; the others cost half, and the same at the nodes. */
  #options(): NegotiateOptions {
    const { prng } = this.#parts;
    return {
      wait: WAIT_MS,
      directKem: prng.chance(0.4),
      direct: prng.chance(0.6),
      threshold: prng.chance(0.1) ? 'all' : 'k',
      keyLength: prng.pick([16, 32, 64]),
      ...(prng.chance(0.05) && { suite: prng.pick([2, 3]) }),
    };
  }

  async #perform(
    task: Task,
    drawn: { who: Member; whom: Member; options: NegotiateOptions; own: Prng },
  ): Promise<void> {
    const { occurrences, sockets } = this.#parts;
    const { who, whom, options, own } = drawn;
    switch (task) {
      case 'negotiate':
        occurrences.note(`negotiate: ${await who.negotiate(whom, options)}`);
        break;
      case 'ratchet':
        occurrences.note(`ratchet: ${await who.ratchet()}`);
        break;
      case 'drop':
        await who.drop(async () => pause(own.between(1, 100)));
        occurrences.note('drop');
        break;
      case 'cut':
        for (let i = sockets.cut(own, own.between(1, 8)); i > 0; i--) occurrences.note('cut');
        break;
      case 'psk':
        if (await who.takePsk(own)) occurrences.note('psk');
        break;
      case 'revoke':
        if (!who.isRevoked) await this.#revoke(who);
        break;
    }
  }

  async #revoke(member: Member): Promise<void> {
    member.isRevoked = true;
    await this.#inTurn(async () => this.#revokeNow(member));
  }

  async #inTurn(task: () => Promise<void>): Promise<void> {
    const event = this.#lastEvent.then(task);
    this.#lastEvent = event.catch(() => undefined);
    await event;
  }

  async #revokeNow(member: Member): Promise<void> {
    const { fleet, history, occurrences, sockets } = this.#parts;
    const { administrator, nodeIds } = fleet.network;
    const body = { kind: 'device-revoke', deviceId: fromBase32(member.id), reason: REASON } as const;
    const nodeId = nodeIds.find((id) => id !== this.#down) ?? '';
    await sockets.spare(async () => administrator.submit(body, nodeId));
    history.note(member.name, { kind: 'revoked' });
    occurrences.note('revoke');
  }

  async #refuse(member: Member, other: Member): Promise<void> {
    await member.noteRefusal('negotiate', async () => member.device.negotiate(other.id), other);
    await member.noteRefusal('ratchet', async () => member.device.ratchet());
    await member.noteRefusal('be negotiated with', async () => other.device.negotiate(member.id), other);
    await member.drop(async () => undefined);
    await member.noteRefusal('connect', async () => member.device.connect());
  }

  async #lastKey(one: Member, other: Member): Promise<void> {
    const key = await one.device.negotiate(other.id);
    this.#parts.history.note(one.name, { kind: 'last', peer: other.name, keyId: key.keyId });
    if (key.state === 'pending') this.#parts.occurrences.note('last key pending');
  }

  /** Every device that is not revoked is connected, and enrolled at all nodes. */
  async #untilWhole(): Promise<void> {
    await this.#untilNobody(() => this.#living().filter(({ isWhole }) => !isWhole), 'is still on its way');
  }

  /** No negotiation of two devices that are not revoked is under way. */
  async #settle(): Promise<void> {
    const living = new Set(this.#living().map(({ name }) => name));
    const isUnsettled = (member: Member): boolean => member.unfinished().some((peer) => living.has(peer));
    await this.#untilNobody(() => this.#living().filter(isUnsettled), 'waits for a key');
  }

  /** Waits; pauses between attempts grow long meanwhile, so who is late is opened anew. */
  async #untilNobody(late: () => readonly Member[], what: string): Promise<void> {
    for (let turn = 0; turn < TURNS && late().length > 0; turn++) {
      await until(() => late().length === 0, `nobody ${what}`).catch(async () => {
        this.#parts.occurrences.note(`opened anew: ${what}`);
        await inParallel(late(), WIDTH, async (member) => member.drop(async () => undefined));
      });
    }
    const names = late().map(({ name }) => name);
    if (names.length > 0) throw new Error(`${names.join(', ')} ${what}`);
  }
}

/** Does something with each item, so many at the same time. What fails is thrown when nothing is under way any more. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
