import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { enrol, openDevice } from '@symmetra/sdk';
import type { Device, DeviceOptions } from '@symmetra/sdk';
import { build } from 'esbuild';
import { Cluster, Occurrences } from '@symmetra/testing';
import type { ClusterOptions } from '@symmetra/testing';
import { programArgs } from './cli-program.js';
import { ClusterControl } from './cluster-control.js';
import { LineHistory } from './cluster-history.js';
import type { ControlHistory, DeviceHistory } from './cluster-history.js';
import { Member } from './fleet-member.js';
import { GroupHistory } from './group-fleet-history.js';

const PROBE = fileURLToPath(new URL('cluster-probe.ts', import.meta.url));

/** A cluster of real processes, devices of this process, and the files in which everything is written down. */
export class ClusterWorld {
  readonly cluster: Cluster;
  readonly control: ClusterControl;
  readonly devices: DeviceHistory;
  readonly events: ControlHistory;
  readonly groups: GroupHistory;
  readonly occurrences = new Occurrences();
  /** Names of devices by their ids. */
  readonly names = new Map<string, string>();
  readonly members: Member[] = [];
  readonly folder: string;
  readonly #opened = new Set<Device>();

  private constructor(folder: string, cluster: Cluster) {
    this.folder = folder;
    this.cluster = cluster;
    this.devices = new LineHistory(join(folder, 'devices.jsonl'));
    this.events = new LineHistory(join(folder, 'events.jsonl'));
    this.groups = new GroupHistory(this.groupFolder, 'clients');
    this.control = new ClusterControl(cluster, this.events);
  }

  /** @param prepare further options, made from the folder in which everything lies */
  static async start(prepare: (folder: string) => ClusterOptions = () => ({})): Promise<ClusterWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'symmetra-world-'));
    for (const name of ['seals', 'clocks', 'groups']) mkdirSync(join(folder, name));
    const { environment, ...options } = prepare(folder);
    const outfile = join(folder, 'probe.mjs');
    await build({ entryPoints: [PROBE], outfile, platform: 'node', format: 'esm', logLevel: 'error' });
    const probe = {
      NODE_OPTIONS: `--import=${pathToFileURL(outfile).href}`,
      SYMMETRA_TEST_SEALS: join(folder, 'seals'),
      SYMMETRA_TEST_CLOCKS: join(folder, 'clocks'),
    };
    try {
      const cluster = await Cluster.start({
        program: programArgs,
        dir: join(folder, 'cluster'),
        ...options,
        environment: { ...probe, ...environment },
      });
      return new ClusterWorld(folder, cluster);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get groupFolder(): string {
    return join(this.folder, 'groups');
  }

  /** Names of all AEAD seals that nodes made, a file for each process. */
  seals(): readonly Uint8Array[] {
    const folder = join(this.folder, 'seals');
    return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  }

  /** Moves the wall clock of a process of a node, by milliseconds from the true time. */
  setClock(port: number, offsetMs: number): void {
    writeFileSync(join(this.folder, 'clocks', String(port)), String(offsetMs));
  }

  /** Enrols a device, once more when it fails, and connects it. */
  async join(name: string, token?: string): Promise<Member> {
    const fleet = {
      enrol: async (
        device: string,
        { token: given = '', ...options }: Omit<DeviceOptions, 'state'> & { token?: string } = {},
      ) => this.#keep(await enrol({ ...options, token: given, state: this.#state(device), name: device })),
      open: async (device: string, options: Omit<DeviceOptions, 'state'> = {}) =>
        this.#keep(await openDevice({ ...options, state: this.#state(device) })),
    };
    const surroundings = { fleet, history: this.devices, names: this.names };
    const options = { name, token: token ?? (await this.control.token()), suite: 1, listens: false };
    const member = await Member.enrol(surroundings, options);
    this.members.push(member);
    return member;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#opened].map(async (device) => device.close()));
    await this.cluster.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #state(name: string): string {
    return join(this.folder, `device-${name}`);
  }

  #keep(device: Device): Device {
    this.#opened.add(device);
    return device;
  }
}
