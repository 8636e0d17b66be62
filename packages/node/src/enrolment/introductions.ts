import type { Bus } from '@symmetra/bus';
import { SymmetraError, concat, equalConstantTime, toBase32 } from '@symmetra/crypto';
import {
  checkIntroductionPart,
  completeIntroduction,
  decodeIntroductionPart,
  encodeIntroductionPart,
  isSameIntroduction,
} from '@symmetra/protocol';
import type { IntroductionPart, ReadIntroduction } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import { EXPIRY_BYTES, encodeExpiry, expiryOf } from '../rows/expiry.js';
import { deviceRow, hexOf, introductionRow, introductionsFrom } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import type { TokenRows } from './token-rows.js';

/** Subject of the bus on which a node is told of devices. */
export const INTRODUCE = 'introduce';
/** How long a part waits for others, and how long a device may take to come then. */
const WAIT_MS = 10 * 60_000;
/** Parts of one node that may wait for others. */
const MAX_WAITING = 64;
/** Pairs of nodes whose parts for one device differ, of which it is remembered that it was told. */
const MAX_DIFFERENCES = 4096;
const MAX_ATTEMPTS = 8;

export interface IntroductionsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly store: Store;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
  readonly tokens: TokenRows;
  readonly audit: AuditLog;
}

/** ENR-11, ENR-12: what other nodes say of devices that this node does not know yet; k that say the same are believed. */
export class Introductions {
  readonly #parts: IntroductionsParts;
  /** By sender: the end of the last of its parts that are being stored. */
  readonly #storing = new Map<string, Promise<void>>();
  /** By device and pair of nodes: until when it is not told again that they differ. */
  readonly #differences = new Map<string, number>();

  constructor(parts: IntroductionsParts) {
    this.#parts = parts;
  }

  /** Takes parts from other nodes from now on. */
  serve(): void {
    this.#parts.bus.serve(INTRODUCE, async (from, payload) => {
      try {
        const part = decodeIntroductionPart(payload);
        return await this.#receive(from, part).finally(() => part.share.wipe());
      } finally {
        payload.fill(0);
      }
    });
  }

  /** @returns H(header) @throws what {@link checkIntroductionPart} throws, DEVICE_REVOKED, DEVICE_ENROLLED, INTRODUCTION_BUSY */
  async #receive(from: string, part: IntroductionPart): Promise<Uint8Array> {
    const { state } = this.#parts;
    const { identity, descriptor } = state;
    const node = { nodeId: identity.id, nodeKeyHash: identity.keyHash, descriptor };
    const read = checkIntroductionPart(state.context, node, from, part);
    if ((await this.#version(read)) === undefined) return read.headerHash;
    await this.#inTurn(from, async () => this.#keep(from, hexOf(read.header.deviceId), part));
    await this.#complete(from, part, read);
    return read.headerHash;
  }

  /**
   * ENR-11, ENR-12: whether M may take a part, and complete its introduction.
   * @returns the version of the introduction whose place it takes, 0 for none; undefined when it is completed already
   * @throws DEVICE_REVOKED, DEVICE_ENROLLED
   */
  async #version({ header, headerHash }: ReadIntroduction): Promise<number | undefined> {
    const { state, devices, tokens } = this.#parts;
    const deviceHex = hexOf(header.deviceId);
    if (state.isDeviceRevoked(deviceHex)) throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
    const known = await tokens.introduction(header.deviceId);
    if (known.headerHash !== undefined && equalConstantTime(known.headerHash, headerHash)) return undefined;
    if ((await devices.standing(deviceHex)) !== undefined) {
      throw new SymmetraError('DEVICE_ENROLLED', 'the device is enrolled at this node already');
    }
    return known.version;
  }

  /** Parts of one sender are stored one after another, so that its bound holds however many come at once. */
  async #inTurn(from: string, store: () => Promise<void>): Promise<void> {
    const before = this.#storing.get(from) ?? Promise.resolve();
    const stored = before.then(store);
    const over = stored.catch(() => undefined);
    this.#storing.set(from, over);
    await stored.finally(() => {
      if (this.#storing.get(from) === over) this.#storing.delete(from);
    });
  }

  /** A part waits for others in a row of its own; a later one of the same node takes its place. */
  async #keep(from: string, deviceHex: string, part: IntroductionPart): Promise<void> {
    const { store, clock } = this.#parts;
    const key = introductionRow(from, deviceHex);
    if ((await store.get(key)) === undefined) {
      const waiting = await store.scan(introductionsFrom(from), { limit: MAX_WAITING });
      if (waiting.length === MAX_WAITING) {
        throw new SymmetraError('INTRODUCTION_BUSY', 'too many introductions of this node wait for others');
      }
    }
    const encoded = encodeIntroductionPart(part);
    const value = concat(encodeExpiry(clock.now() + WAIT_MS), encoded);
    encoded.fill(0);
    await store.commit([{ key, value }]).finally(() => value.fill(0));
  }

  /**
   * Whoever stores its part last finds all others: one of two that come at the same time completes. What the commit replaces
   * was read before the parts were, so that it holds only while the device has not enrolled since.
   */
  async #complete(from: string, part: IntroductionPart, read: ReadIntroduction): Promise<void> {
    const { store, state, tokens, audit, clock } = this.#parts;
    const { header } = read;
    const deviceHex = hexOf(header.deviceId);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const version = await this.#version(read);
      if (version === undefined) return;
      const others = await this.#others(from, deviceHex, header.nodes);
      try {
        const done = completeIntroduction(state.context, { from, part }, others);
        const differing = [...others].find(([, other]) => !isSameIntroduction(other, part))?.[0];
        if (differing !== undefined) this.#tellDifference(header.deviceId, [from, differing]);
        if (done === undefined) return;
        const change = tokens.introducing(done, clock.now() + WAIT_MS, version);
        const changes: readonly Change[] = [
          change,
          { key: deviceRow(deviceHex), value: null, expect: 0 },
          ...[from, ...others.keys()].map((node) => ({ key: introductionRow(node, deviceHex), value: null })),
        ];
        const made = await store.commit(changes).finally(() => change.value?.fill(0));
        if (!made) continue;
        audit.introduced({ device: toBase32(header.deviceId), account: done.facts.account });
        return;
      } finally {
        for (const other of others.values()) wipeState(other);
      }
    }
    throw new SymmetraError('STATE_CONFLICT', 'the introduction kept changing; try again');
  }

  /** Once for each device and pair of nodes while their parts wait. */
  #tellDifference(deviceId: Uint8Array, nodes: readonly [string, string]): void {
    const { audit, clock } = this.#parts;
    const now = clock.now();
    const name = [hexOf(deviceId), ...nodes.toSorted()].join(' ');
    if ((this.#differences.get(name) ?? 0) > now) return;
    if (this.#differences.size >= MAX_DIFFERENCES) {
      for (const [told, until] of this.#differences) if (until <= now) this.#differences.delete(told);
    }
    if (this.#differences.size < MAX_DIFFERENCES) this.#differences.set(name, now + WAIT_MS);
    audit.introductionDiffers({ device: toBase32(deviceId), nodes });
  }

  /** What other nodes of the set passed on of the device, and is not over. */
  async #others(
    from: string,
    deviceHex: string,
    nodes: readonly string[],
  ): Promise<ReadonlyMap<string, IntroductionPart>> {
    const { store, clock } = this.#parts;
    const others = new Map<string, IntroductionPart>();
    for (const node of nodes) {
      const row = node === from ? undefined : await store.get(introductionRow(node, deviceHex));
      if (row === undefined || expiryOf(row.value) <= clock.now()) continue;
      others.set(node, decodeIntroductionPart(row.value.subarray(EXPIRY_BYTES)));
      row.value.fill(0);
    }
    return others;
  }
}
