import type { Hails } from '@symmetra/bus';
import type { SymmetraError } from '@symmetra/crypto';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { LinkWorld, Prng } from '@symmetra/testing';
import { describe, expect, it } from 'vitest';
import { Rivals, answerArrivals } from '../../packages/node/src/process/rivals.js';
import { codeOf } from './link-talk.js';

const STEP_MS = 50;
/** Two rounds of calls of processes that serve, and the time for contacts. */
const LONG_MS = 14_000;
/** From when a process may serve until it is on the bus. */
const START_MS = 300;
const NODE = 'node-1';

/** Nodes whose datagrams take their time. */
function worldOf(seed: string, prng: Prng): LinkWorld {
  const world = new LinkWorld(seed);
  world.wires.interfere = (datagram) => {
    world.clock.setTimer(prng.between(1, 120), () => world.wires.carry(datagram));
    return [];
  };
  return world;
}

/** Calls within one process: each is lost or late as the weather says. */
class Hall {
  readonly #listeners = new Map<string, (instance: string) => void>();
  readonly #world: LinkWorld;
  readonly #prng: Prng;
  /** The chance of a call to be lost on its way to one listener. */
  loss: number;

  constructor(world: LinkWorld, prng: Prng, loss: number) {
    this.#world = world;
    this.#prng = prng;
    this.loss = loss;
  }

  hailsOf(instance: string): Hails {
    return {
      hail: () => {
        for (const [other, listener] of this.#listeners) {
          if (other === instance || this.#prng.chance(this.loss)) continue;
          this.#world.clock.setTimer(this.#prng.between(1, 300), () => listener(instance));
        }
      },
      listen: async (onHail) => void this.#listeners.set(instance, onHail),
      close: () => void this.#listeners.delete(instance),
    };
  }
}

/** A process of the node, as far as this concerns it. */
class Arrival {
  readonly store: Store;
  /** `arriving`, `serves`, or the code that it ended with. */
  state = 'arriving';
  readonly #world: LinkWorld;
  readonly #rivals: Rivals;

  constructor(world: LinkWorld, hall: Hall, store: Store, isShared: boolean) {
    this.#world = world;
    this.store = store;
    const bus = world.join(NODE, { isGuest: true });
    const { clock, random } = world;
    const logger = createLogger({ level: 'silent', clock });
    const onLost = (error: SymmetraError): void => this.#end(error.code);
    const hails = hall.hailsOf(bus.instance);
    this.#rivals = new Rivals({ bus, hails, store, isShared, random, clock, logger, onLost });
    void this.#run();
  }

  get serves(): boolean {
    return this.state === 'serves';
  }

  async stop(): Promise<void> {
    await this.#rivals.stop();
  }

  async #run(): Promise<void> {
    const code = await codeOf(this.#rivals.arrive());
    if (code !== undefined) {
      this.#end(code);
    } else if (this.state === 'arriving') {
      this.state = 'serves';
      this.#world.clock.setTimer(START_MS, () => answerArrivals(this.#world.join(NODE), this.store));
    }
  }

  #end(code: string): void {
    this.state = code;
    void this.#rivals.stop();
  }
}

describe('processes that run as one node', () => {
  async function pass(world: LinkWorld, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) await world.pass(STEP_MS);
  }

  const storesOf = (processes: readonly Arrival[]): number =>
    new Set(processes.filter(({ serves }) => serves).map(({ store }) => store)).size;

  /** Processes that start at about the same time, some of them over one store. */
  async function startAtOnce(world: LinkWorld, hall: Hall, prng: Prng): Promise<readonly Arrival[]> {
    const shared = openMemoryStore();
    const processes: Arrival[] = [];
    for (let i = prng.between(2, 4); i > 0; i--) {
      const isShared = prng.chance(0.5);
      processes.push(new Arrival(world, hall, isShared ? shared : openMemoryStore(), isShared));
      await pass(world, prng.chance(0.5) ? 0 : prng.between(1, 600));
    }
    return processes;
  }

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'NODE_RUNNING: of copies that start at once all but one end before they serve (%i)',
    async (seed) => {
      const prng = new Prng(`rivals ${seed}`);
      const world = worldOf(`rivals ${seed}`, prng);
      const processes = await startAtOnce(world, new Hall(world, prng, 0), prng);
      const served = new Set<Store>();
      for (let passed = 0; passed < LONG_MS; passed += STEP_MS) {
        await pass(world, STEP_MS);
        for (const { serves, store } of processes) if (serves) served.add(store);
      }
      expect(served.size).toBe(1);
      expect(new Set(processes.map(({ state }) => state))).toSatisfy((states: Set<string>) =>
        [...states].every((state) => state === 'serves' || state === 'NODE_RUNNING'),
      );
      for (const process of processes) await process.stop();
    },
  );

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'NODE_RUNNING: where most calls are lost all but one end in the end (%i)',
    async (seed) => {
      const prng = new Prng(`lost calls ${seed}`);
      const world = worldOf(`lost calls ${seed}`, prng);
      const hall = new Hall(world, prng, 0.8);
      const processes = await startAtOnce(world, hall, prng);
      await pass(world, LONG_MS);
      hall.loss = 0;
      await pass(world, LONG_MS);
      expect(storesOf(processes)).toBe(1);
      expect(processes.map(({ state }) => state)).not.toContain('arriving');
      for (const process of processes) await process.stop();
    },
  );

  it('replicas start at once, and serve together', async () => {
    const prng = new Prng('replicas');
    const world = worldOf('replicas', prng);
    const hall = new Hall(world, prng, 0);
    const store = openMemoryStore();
    const replicas = Array.from({ length: 4 }, () => new Arrival(world, hall, store, true));
    await pass(world, LONG_MS);
    expect(replicas.map(({ state }) => state)).toEqual(Array.from({ length: 4 }, () => 'serves'));
    const rows = async (): Promise<number> => (await store.scan('arrival/')).length;
    expect(await rows()).toBe(4);
    for (const replica of replicas) await replica.stop();
    expect(await rows()).toBe(0);
  });

  it('NODE_RUNNING: one that serves is found also where no call is heard', async () => {
    const world = new LinkWorld('unheard');
    const hall = new Hall(world, new Prng('unheard'), 1);
    const first = new Arrival(world, hall, openMemoryStore(), false);
    await pass(world, 2000);
    const second = new Arrival(world, hall, openMemoryStore(), false);
    await pass(world, 2000);
    expect([first.state, second.state]).toEqual(['serves', 'NODE_RUNNING']);
    await first.stop();
  });

  it('NODE_RUNNING: two that served apart meet, and the one that started later ends', async () => {
    const world = new LinkWorld('apart');
    const hall = new Hall(world, new Prng('apart'), 1);
    const { interfere } = world.wires;
    world.wires.interfere = () => [];
    const first = new Arrival(world, hall, openMemoryStore(), false);
    await pass(world, 1000);
    const second = new Arrival(world, hall, openMemoryStore(), false);
    await pass(world, LONG_MS);
    expect([first.state, second.state]).toEqual(['serves', 'serves']);
    world.wires.interfere = interfere;
    hall.loss = 0;
    await pass(world, LONG_MS);
    expect([first.state, second.state]).toEqual(['serves', 'NODE_RUNNING']);
    await first.stop();
  });

  it('names that nobody has are asked for, a few at a time, and change nothing', async () => {
    const world = new LinkWorld('names');
    const hall = new Hall(world, new Prng('names'), 0);
    const alone = new Arrival(world, hall, openMemoryStore(), false);
    for (let i = 0; i < 100; i++) {
      const instance = i.toString(16).padStart(8, '0');
      hall.hailsOf(instance).hail();
    }
    await pass(world, 3000);
    expect(alone.state).toBe('serves');
    await alone.stop();
  });
});
