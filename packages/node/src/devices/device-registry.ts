import { SymmetraError } from '@symmetra/crypto';
import type { DeviceStanding } from '@symmetra/protocol';
import type { Change, Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { DEVICE_ROWS, deviceRow, lastPart } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import { StandingCache } from './standing-cache.js';
import { decodeDeviceRow, encodeDeviceRow } from './device-row.js';
import type { DeviceRow } from './device-row.js';

const MAX_ATTEMPTS = 8;
const MAX_CACHED = 100_000;

/** What one step makes of a row. The same row again means that nothing is to be stored. */
export interface RowStep<Output> {
  readonly row: DeviceRow;
  readonly output: Output;
}

/** The devices of this node: rows that change by compare-and-set, and a cache of their standing. */
export class DeviceRegistry {
  readonly #store: Store;
  readonly #state: ControlState;
  readonly #stages: StandingCache;

  /** @param isShared whether other processes of this node may change the rows too: then no stage is kept in memory */
  constructor(store: Store, state: ControlState, isShared: boolean) {
    this.#store = store;
    this.#state = state;
    this.#stages = new StandingCache(isShared ? 0 : MAX_CACHED);
  }

  /**
   * Runs a step on a device's row until its result is stored: whoever loses a race reads again and steps again. The
   * output is returned once it is durable; then every secret of the row is erased from memory.
   * @param discard erases the output of a step that lost its race.
   * @throws DEVICE_UNKNOWN, STATE_CONFLICT, what the step throws, and what the store throws
   */
  async update<Output>(
    deviceHex: string,
    step: (row: DeviceRow) => RowStep<Output>,
    discard: (output: Output) => void = () => undefined,
  ): Promise<Output> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.#store.get(deviceRow(deviceHex));
      if (stored === undefined) throw unknownDevice();
      const row = decodeDeviceRow(stored.value);
      try {
        const next = step(row);
        if (next.row === row) return next.output;
        if (await this.#replace(deviceHex, next.row, stored.version)) return next.output;
        discard(next.output);
      } finally {
        wipeState(row);
      }
    }
    throw new SymmetraError('STATE_CONFLICT', "the device's state kept changing; try again");
  }

  /** The change that adds a device; it fails when the device is there already. The caller wipes the value. */
  insertion(deviceHex: string, row: DeviceRow): Change {
    return { key: deviceRow(deviceHex), value: encodeDeviceRow(row), expect: 0 };
  }

  /** Takes note of a stage that is stored. */
  noteStage(deviceHex: string, stage: string): void {
    this.#stages.set(deviceHex, stage);
  }

  /** PAIR-3: revoked or not, and the stage; undefined when the device is not enrolled here. */
  async standing(deviceHex: string): Promise<DeviceStanding | undefined> {
    const cached = this.cachedStanding(deviceHex);
    if (cached !== undefined) return cached;
    const stored = await this.#store.get(deviceRow(deviceHex));
    if (stored === undefined) return undefined;
    const row = decodeDeviceRow(stored.value);
    const { stage } = row.chain.keys;
    wipeState(row);
    if (this.#stages.get(deviceHex) === undefined) this.#stages.set(deviceHex, stage);
    return this.cachedStanding(deviceHex) ?? { revoked: this.#state.isDeviceRevoked(deviceHex), stage };
  }

  /** {@link DeviceRegistry.standing} without a wait; undefined also when it would have to be read. */
  cachedStanding(deviceHex: string): DeviceStanding | undefined {
    const stage = this.#stages.get(deviceHex);
    return stage === undefined ? undefined : { revoked: this.#state.isDeviceRevoked(deviceHex), stage };
  }

  /** A device without its secrets: they are erased. @throws DEVICE_UNKNOWN */
  async read(deviceHex: string): Promise<DeviceRow> {
    const stored = await this.#store.get(deviceRow(deviceHex));
    if (stored === undefined) throw unknownDevice();
    return withoutSecrets(decodeDeviceRow(stored.value));
  }

  /** Devices in the order of their ids, without their secrets. */
  async list(
    afterHex: string | undefined,
    limit: number,
  ): Promise<readonly { hex: string; row: DeviceRow }[]> {
    const after = afterHex === undefined ? {} : { after: deviceRow(afterHex) };
    const rows = await this.#store.scan(DEVICE_ROWS, { limit, ...after });
    return rows.map(({ key, row }) => ({
      hex: lastPart(key),
      row: withoutSecrets(decodeDeviceRow(row.value)),
    }));
  }

  async #replace(deviceHex: string, row: DeviceRow, version: number): Promise<boolean> {
    const value = encodeDeviceRow(row);
    try {
      const made = await this.#store.commit([{ key: deviceRow(deviceHex), value, expect: version }]);
      if (made) this.#stages.set(deviceHex, row.chain.keys.stage);
      return made;
    } finally {
      value.fill(0);
      wipeState(row);
    }
  }
}

function withoutSecrets(row: DeviceRow): DeviceRow {
  wipeState(row);
  return row;
}

function unknownDevice(): SymmetraError {
  return new SymmetraError('DEVICE_UNKNOWN', 'the device is not enrolled at this node');
}
