import type { LinkedBus } from '@symmetra/bus';
import { SymmetraError, utf8 } from '@symmetra/crypto';
import { CALM, LinkWorld, Prng, SimulatedWires } from '@symmetra/testing';
import type { Faults, Occurrences } from '@symmetra/testing';

const TURNS = 4;
const STORMY_STEPS = 120;
const FAIR_STEPS = 48;
const FAIR_STEP_MS = 250;
const TIMEOUT_MS = 4000;
const RENEW_MS = 1500;

/** What a request may end with. */
export const LINK_FAILURES = ['NODE_UNREACHABLE', 'INSTANCE_GONE', 'BUS_TIMEOUT'];

/** One run: processes that ask one another in any weather, crash and come back, and part and meet again. */
export class LinkRun {
  readonly #prng: Prng;
  readonly #world: LinkWorld;
  readonly #wires: SimulatedWires;
  readonly #occurrences: Occurrences;
  readonly #buses: LinkedBus[] = [];
  /** Requests that a handler took, in their order, by asking and answering process. */
  readonly #taken = new Map<string, number[]>();
  /** What must not be. */
  readonly #wrong: string[] = [];
  #asked = 0;
  #settled = 0;

  constructor(seed: string, occurrences: Occurrences) {
    this.#prng = new Prng(seed);
    this.#world = new LinkWorld(seed);
    this.#occurrences = occurrences;
    this.#wires = new SimulatedWires({
      clock: this.#world.clock,
      prng: this.#prng,
      faults: weather(this.#prng),
      onFault: (kind) => occurrences.note(`fault:${kind}`),
    });
    for (const node of ['alice', 'bob', 'bob', 'carol']) this.#start(node);
  }

  /** @returns what went wrong */
  async execute(): Promise<readonly string[]> {
    for (let step = 0; step < STORMY_STEPS; step++) {
      if (this.#prng.chance(0.4)) this.#ask();
      if (this.#prng.chance(0.01)) this.#crash();
      if (this.#prng.chance(0.01)) {
        this.#wires.partition(['alice'], ['bob', 'carol']);
        this.#occurrences.note('parted');
      }
      if (this.#prng.chance(0.03)) this.#wires.heal();
      await this.#pass(this.#prng.between(1, 80));
    }
    this.#wires.faults = CALM;
    this.#wires.heal();
    for (let step = 0; step < FAIR_STEPS; step++) await this.#pass(FAIR_STEP_MS);
    await this.#allReachOneAnother();
    this.#demand(this.#settled === this.#asked, `${this.#asked - this.#settled} requests never ended`);
    for (const [ends, ids] of this.#taken) {
      const ascending = ids.every((id, i) => i === 0 || id > (ids[i - 1] as number));
      this.#demand(ascending, `${ends} took ${ids.join(' ')}`);
    }
    await Promise.all(this.#buses.map(async (bus) => bus.close()));
    await this.#pass(FAIR_STEP_MS);
    this.#demand(this.#world.clock.pendingTimers === 0, 'a timer is left');
    return this.#wrong;
  }

  #start(node: string): void {
    const instance = Buffer.from(this.#prng.bytes(4)).toString('hex');
    const settings = {
      renewMs: RENEW_MS,
      onRefused: ({ code }: { code: string }) => this.#occurrences.note(`refused:${code}`),
      onLink: ({ renewed }: { renewed: boolean }) => {
        if (renewed) this.#occurrences.note('renewed');
      },
    };
    const bus = this.#world.join(node, settings, this.#wires.join({ node, instance }));
    bus.serve('ask', async (from, payload) => {
      const [asker = '', number = ''] = Buffer.from(payload).toString().split(' ');
      this.#demand(asker.startsWith(`${from}.`), `a request of ${asker} came as one of ${from}`);
      const ends = `${asker} ${bus.instance}`;
      this.#taken.set(ends, [...(this.#taken.get(ends) ?? []), Number(number)]);
      return utf8(`${number} from ${node}`);
    });
    this.#buses.push(bus);
  }

  #crash(): void {
    const bus = this.#prng.pick(this.#buses);
    this.#wires.kill({ node: bus.self, instance: bus.instance });
    this.#buses.splice(this.#buses.indexOf(bus), 1);
    void bus.close();
    this.#start(bus.self);
    this.#occurrences.note('crashed');
  }

  #ask(): void {
    const from = this.#prng.pick(this.#buses);
    const to = this.#prng.pick(this.#buses);
    const named = this.#prng.chance(0.3);
    void this.#note(this.#request(from, to, named));
  }

  async #note(outcome: Promise<string | undefined>): Promise<void> {
    const code = await outcome;
    this.#settled += 1;
    this.#occurrences.note(code ?? 'replied');
    this.#demand(code === undefined || LINK_FAILURES.includes(code), `a request ended with ${code}`);
  }

  /** The code that a request fails with; undefined when it was answered as it should be. */
  async #request(from: LinkedBus, to: LinkedBus, named: boolean): Promise<string | undefined> {
    this.#asked += 1;
    const number = this.#asked;
    const options = named ? { timeoutMs: TIMEOUT_MS, instance: to.instance } : { timeoutMs: TIMEOUT_MS };
    try {
      const asker = `${from.self}.${from.instance}`;
      const reply = await from.request(to.self, 'ask', utf8(`${asker} ${number}`), options);
      const told = Buffer.from(reply).toString();
      this.#demand(told === `${number} from ${to.self}`, `request ${number} was answered with ${told}`);
      return undefined;
    } catch (error) {
      if (error instanceof SymmetraError) return error.code;
      throw error;
    }
  }

  async #allReachOneAnother(): Promise<void> {
    const outcomes: Promise<string | undefined>[] = [];
    for (const from of this.#buses) {
      for (const to of this.#buses) outcomes.push(this.#request(from, to, true));
    }
    const all = Promise.all(outcomes);
    for (let step = 0; step < 40; step++) await this.#pass(10);
    const failed = (await all).filter((code) => code !== undefined);
    this.#demand(failed.length === 0, `in fair weather: ${failed.join(' ')}`);
    this.#settled += outcomes.length;
  }

  #demand(holds: boolean, otherwise: string): void {
    if (!holds) this.#wrong.push(otherwise);
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.settle(TURNS);
    this.#world.clock.advance(ms);
    await this.#world.settle(TURNS);
  }
}

/** Each fault is absent, rare or frequent. */
function weather(prng: Prng): Faults {
  const rate = (frequent: number): number => prng.pick([0, frequent / 8, frequent / 2]);
  return {
    loss: rate(0.4),
    repetition: rate(0.4),
    corruption: rate(0.3),
    delay: rate(0.5),
    longestDelay: prng.pick([5, 50, 400]),
    crash: 0,
  };
}
