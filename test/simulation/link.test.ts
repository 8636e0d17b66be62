import type { LinkedBus } from '@symmetra/bus';
import { SymmetraError, utf8 } from '@symmetra/crypto';
import { CALM, LinkWorld, Occurrences, Prng, SimulatedWires } from '@symmetra/testing';
import type { Faults } from '@symmetra/testing';
import { expect, test } from 'vitest';

const SEEDS = 48;
const TURNS = 4;
const STORMY_STEPS = 120;
const FAIR_STEPS = 48;
const FAIR_STEP_MS = 250;
const TIMEOUT_MS = 4000;
const RENEW_MS = 1500;

/** What a request may end with. */
const ALLOWED = ['NODE_UNREACHABLE', 'INSTANCE_GONE', 'BUS_TIMEOUT'];
const EXPECTED = [
  'replied',
  ...ALLOWED,
  'renewed',
  'crashed',
  'parted',
  'fault:lost',
  'fault:repeated',
  'fault:delayed',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:MESSAGE_REPLAYED',
  'refused:LINK_UNKNOWN',
  'refused:LINK_SILENT',
];

/** One run: processes that ask one another in any weather, crash and come back, and part and meet again. */
class LinkRun {
  readonly #prng: Prng;
  readonly #world: LinkWorld;
  readonly #wires: SimulatedWires;
  readonly #occurrences: Occurrences;
  readonly #buses: LinkedBus[] = [];
  /** Requests that a handler took, in their order, by asking and answering process. */
  readonly #taken = new Map<string, number[]>();
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

  async execute(): Promise<void> {
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
    expect(this.#settled).toBe(this.#asked);
    for (const [ends, ids] of this.#taken) {
      expect(ids, ends).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
    }
    await Promise.all(this.#buses.map(async (bus) => bus.close()));
    await this.#pass(FAIR_STEP_MS);
    expect(this.#world.clock.pendingTimers).toBe(0);
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
      expect(asker.startsWith(`${from}.`)).toBe(true);
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
    void this.#request(from, to, named).then((code) => {
      this.#settled += 1;
      this.#occurrences.note(code ?? 'replied');
      if (code !== undefined) expect(ALLOWED).toContain(code);
    });
  }

  /** The code that a request fails with; undefined when it was answered as it should be. */
  async #request(from: LinkedBus, to: LinkedBus, named: boolean): Promise<string | undefined> {
    this.#asked += 1;
    const number = this.#asked;
    const options = named ? { timeoutMs: TIMEOUT_MS, instance: to.instance } : { timeoutMs: TIMEOUT_MS };
    try {
      const asker = `${from.self}.${from.instance}`;
      const reply = await from.request(to.self, 'ask', utf8(`${asker} ${number}`), options);
      expect(Buffer.from(reply).toString()).toBe(`${number} from ${to.self}`);
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
    expect(new Set(await all)).toEqual(new Set([undefined]));
    this.#settled += outcomes.length;
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

test('LINK-1 to LINK-8: no request is taken twice or out of order, each ends, and in fair weather all reach one another', async () => {
  const occurrences = new Occurrences();
  const chosen = process.env['SIM_SEED'];
  const seeds = Array.from({ length: SEEDS }, (_, i) => `link/${i}`);
  for (const seed of chosen === undefined ? seeds : seeds.filter((one) => one === chosen)) {
    try {
      await new LinkRun(seed, occurrences).execute();
    } catch (error) {
      throw new Error(`SIM_SEED=${seed} fails`, { cause: error });
    }
  }
  if (chosen === undefined)
    for (const name of EXPECTED) expect(occurrences.count(name), name).toBeGreaterThan(0);
});
