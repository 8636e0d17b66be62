import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Policy } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import { enrol, openDevice } from '@symmetra/sdk';
import type { Device, DeviceEvents, DeviceOptions, Key, NegotiateOptions } from '@symmetra/sdk';
import { NodeNetwork } from '@symmetra/testing';

type ExtraOptions = Omit<DeviceOptions, 'state'>;

/** Devices of a real network of three nodes, in folders of their own; all of it ends together. */
export class Fleet {
  readonly network: NodeNetwork;
  readonly folder: string;
  readonly #devices = new Set<Device>();
  /** Control events are made one after the other. */
  #lastToken: Promise<unknown> = Promise.resolve();

  private constructor(network: NodeNetwork, folder: string) {
    this.network = network;
    this.folder = folder;
  }

  /** @param shared nodes that may run as two processes */
  static async start(
    policy: Partial<Policy> = {},
    clock?: Clock,
    shared: readonly string[] = [],
  ): Promise<Fleet> {
    const network = await NodeNetwork.start(policy, clock, undefined, shared);
    return new Fleet(network, await mkdtemp(join(tmpdir(), 'symmetra-sdk-')));
  }

  /** Where a device keeps its state. */
  state(name: string): string {
    return join(this.folder, name);
  }

  async token(uses = 1): Promise<string> {
    const token = this.#lastToken.then(async () => this.network.administrator.createToken({ uses }));
    this.#lastToken = token;
    return token;
  }

  /** A device that is enrolled, and not connected yet; with a token of its own unless one is given. */
  async enrol(
    name: string,
    { token: given, ...options }: ExtraOptions & { token?: string } = {},
  ): Promise<Device> {
    const token = given ?? (await this.token());
    return this.#keep(await enrol({ ...options, token, state: this.state(name), name }));
  }

  /** A device that is enrolled and connected; with `listen`, peers reach it directly. */
  async join(
    name: string,
    { listen = false, ...options }: ExtraOptions & { listen?: boolean } = {},
  ): Promise<Device> {
    const device = await this.enrol(name, options);
    if (listen) await device.listen();
    await device.connect();
    return device;
  }

  /** A device of an earlier process. */
  async open(name: string, options: ExtraOptions = {}): Promise<Device> {
    return this.#keep(await openDevice({ ...options, state: this.state(name) }));
  }

  async stop(): Promise<void> {
    await this.closeDevices();
    await this.network.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async closeDevices(): Promise<void> {
    await Promise.all([...this.#devices].map(async (device) => device.close()));
    this.#devices.clear();
  }

  #keep(device: Device): Device {
    this.#devices.add(device);
    return device;
  }
}

/** The next event of a kind, from now on. */
export async function next<Name extends keyof DeviceEvents>(
  device: Device,
  name: Name,
): Promise<DeviceEvents[Name][0]> {
  const [value] = (await once(device, name)) as DeviceEvents[Name];
  return value;
}

/** A key at both ends. */
export interface KeyPair {
  readonly ours: Key;
  readonly theirs: Key;
}

/** Agrees on a key, and waits until the peer holds it too. @throws when it stays pending */
export async function agree(from: Device, to: Device, options: NegotiateOptions = {}): Promise<KeyPair> {
  const ours = await from.negotiate(to.id, options);
  if (ours.state === 'pending') throw new Error('the key stays pending');
  return { ours, theirs: to.key(ours.keyId) };
}

/** Waits until something holds, for a bounded time. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (holds()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`it never came about: ${what}`);
}
