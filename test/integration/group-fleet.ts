import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reply } from './cli-inside.js';
import { Bench } from './cli-program.js';
import type { Running } from './cli-program.js';
import { GroupHistory } from './group-fleet-history.js';
import { GroupHousehold } from './group-fleet-household.js';
import { householdProgram } from './group-fleet-program.js';
import type { HouseholdProgram } from './group-fleet-program.js';

const START_ATTEMPTS = 10;

/** How many devices there are, and in how many processes. */
export interface GroupFleetSize {
  readonly devices: number;
  readonly households: number;
}

/** An embedded network of three nodes in one process, and devices in some others; each of them can be killed. */
export class GroupFleet {
  readonly names: readonly string[];
  readonly households: readonly GroupHousehold[];
  /** Where every process writes down what it sees. */
  readonly histories: string;
  /** What those see who run the fleet. */
  readonly history: GroupHistory;
  readonly #bench: Bench;
  readonly #data: string;
  readonly #ids = new Map<string, string>();
  #network: Running;

  private constructor(
    bench: Bench,
    directory: string,
    network: Running,
    program: HouseholdProgram,
    size: GroupFleetSize,
  ) {
    this.#bench = bench;
    this.#network = network;
    this.#data = join(directory, 'network');
    this.histories = join(directory, 'histories');
    this.history = new GroupHistory(this.histories, 'fleet');
    this.names = Array.from({ length: size.devices }, (_, i) => `d${String(i).padStart(2, '0')}`);
    this.households = Array.from({ length: size.households }, (_, place) => {
      const names = this.names.filter((_name, i) => i % size.households === place);
      return new GroupHousehold(program, directory, place, names);
    });
  }

  /** Starts the network and all processes, and enrols the devices. */
  static async start(size: GroupFleetSize): Promise<GroupFleet> {
    const bench = new Bench();
    const directory = await bench.directory();
    await mkdir(join(directory, 'devices'));
    await mkdir(join(directory, 'histories'));
    const network = await bench.network(join(directory, 'network'));
    const program = await householdProgram(directory);
    const fleet = new GroupFleet(bench, directory, network, program, size);
    await fleet.#enrol();
    return fleet;
  }

  householdOf(name: string): GroupHousehold {
    const found = this.households.find(({ names }) => names.includes(name));
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** Device id of a member. */
  id(name: string): string {
    return this.#ids.get(name) ?? '';
  }

  /** SIGKILL of all nodes at once; after a while they start again from what is on their disks. */
  async killNetwork(downMs: number): Promise<void> {
    await this.#network.end('SIGKILL');
    await sleep(downMs);
    for (let attempt = 1; ; attempt++) {
      try {
        this.#network = await this.#bench.network(this.#data);
        return;
      } catch (error) {
        // A connection that is being made may have a node's port for a moment.
        if (attempt === START_ATTEMPTS || !String(error).includes('PORT_IN_USE')) throw error;
        await sleep(100);
      }
    }
  }

  /** CTL-4: done when every node has it in force. */
  async revoke(name: string): Promise<void> {
    await reply(['admin', 'device', 'revoke', this.id(name), '--data', this.#data, '--reason', 'stolen']);
  }

  /** Policy's bound after which a device that is out has no group any more, milliseconds. */
  async boundMs(): Promise<number> {
    const { policy } = await reply(['admin', 'policy', 'show', '--data', this.#data]);
    return Number((policy as { readonly groupBoundSeconds?: unknown }).groupBoundSeconds) * 1000;
  }

  async stop(): Promise<void> {
    await Promise.all(this.households.map(async (household) => household.kill()));
    await this.#bench.end();
  }

  async #enrol(): Promise<void> {
    const uses = String(this.names.length);
    const { token } = await reply(['token', 'create', '--data', this.#data, '--uses', uses]);
    await Promise.all(
      this.households.map(async (household) => {
        await household.start();
        for (const name of household.names) {
          this.#ids.set(name, await household.ask({ task: 'enrol', name, token: String(token) }));
        }
      }),
    );
  }
}
