import { Secret } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { createLogger } from '@symmetra/runtime';
import { enrol, openDevice } from '@symmetra/sdk';
import type { Device, DeviceOptions, DevicePorts } from '@symmetra/sdk';
import { sealStore } from '@symmetra/storage';
import type { MasterKey } from '@symmetra/storage';
import type { Prng } from '../prng.js';
import type { CrashDisk } from './crash-disk.js';
import { Life } from './life.js';
import type { Lines } from './lines.js';
import type { MachineClock } from './machine-clock.js';

/** The machine of a device: what lasts when its process dies. */
export interface DeviceMachineOptions {
  readonly name: string;
  readonly token: string;
  readonly suite: number;
  readonly clock: MachineClock;
  readonly disk: CrashDisk;
  readonly prng: Prng;
  readonly lines: Lines;
  readonly suites: SuiteTable;
  readonly write: (line: string) => void;
}

/** One device of a world: the real SDK on a simulated machine. */
export class DeviceMachine {
  readonly name: string;
  readonly clock: MachineClock;
  readonly disk: CrashDisk;
  readonly #options: DeviceMachineOptions;
  readonly #masterKey: MasterKey;
  #life = new Life();
  #device: Device | undefined;
  #known: Device | undefined;
  #enrolled = false;

  constructor(options: DeviceMachineOptions) {
    this.name = options.name;
    this.clock = options.clock;
    this.disk = options.disk;
    this.#options = options;
    this.#masterKey = Secret.of('masterKey', options.prng.bytes(32));
    this.#life.end();
  }

  /** The device, while it is open and its process is not stopped. */
  get device(): Device | undefined {
    return this.#life.sleeps ? undefined : this.#device;
  }

  /** Whether there is a process, be it open or on its way. */
  get alive(): boolean {
    return this.#life.lasts;
  }

  /** The process that is there now. */
  get life(): Life {
    return this.#life;
  }

  /** The device as it was last open: its id and its name are known since it is enrolled. */
  get known(): Pick<Device, 'id' | 'name'> | undefined {
    return this.#known;
  }

  /** Starts a process that enrols the device, or opens it. @throws what either throws; nothing is left of it then */
  async start(): Promise<Device> {
    const life = new Life();
    this.#life = life;
    try {
      const device = await life.lasting(this.#open(life));
      this.#enrolled = true;
      this.#device = device;
      this.#known = device;
      return device;
    } catch (error) {
      life.end();
      throw error;
    }
  }

  /** The process dies. */
  crash(): void {
    this.#device = undefined;
    this.#life.end();
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    await device?.close();
    this.#life.end();
  }

  async #open(life: Life): Promise<Device> {
    const { name, token, suite, write } = this.#options;
    const clock = this.#options.clock.of(life);
    const output = {
      write: (line: string): void => {
        if (life.lasts) write(line);
      },
    };
    const logger = createLogger({ level: 'debug', clock, output }).child({ device: name });
    const options: DeviceOptions = { state: name, clock, logger, suite };
    if (this.#enrolled) return openDevice(options, this.#ports(life));
    return enrol({ ...options, token, name }, this.#ports(life));
  }

  #ports(life: Life): DevicePorts {
    const { name, disk, prng, lines, suites } = this.#options;
    const random = (length: number): Uint8Array => prng.bytes(length);
    return {
      connect: (address, options) => lines.connect({ name, life }, address, options),
      random,
      suites,
      openState: async ({ path }) => {
        const store = sealStore(disk.open(life), this.#masterKey, random);
        return { path, store, close: async () => store.close() };
      },
      serveOwner: async () => async () => undefined,
    };
  }
}
