import { toHex } from '@symmetra/crypto';
import type { World } from '@symmetra/testing';
import type { Device } from '@symmetra/sdk';
import type { Historian } from './system-history.js';
import { codeOf, digestOf } from './system-work.js';

const STAGES = ['', 'bootstrap', 'production'];
/** States of a key of which the peer has acknowledged nothing (PAIR-9). */
const UNFINISHED: ReadonlySet<string> = new Set(['pending', 'confirmed']);

/** Writes down what devices tell and hold. */
export class SystemObserver {
  readonly #world: World;
  readonly #history: Historian;
  /** Keys of devices, hexadecimal. */
  readonly secrets = new Set<string>();

  constructor(world: World, history: Historian) {
    this.#world = world;
    this.#history = history;
  }

  /** Listens to a device from now on. */
  watch(device: Device): void {
    const { id } = device;
    device.on('key', ({ keyId, peer, state }) => {
      this.#history.note(id, { kind: 'key', keyId, peer, state });
    });
    device.on('warning', ({ code }) => this.#history.note(id, { kind: 'warned', code }));
    device.on('report', ({ node, reason }) => this.#history.note(id, { kind: 'reported', node, reason }));
    device.on('network', ({ version }) => this.#history.note(id, { kind: 'follows', version }));
  }

  /** What all devices hold now. */
  look(): void {
    for (const { device } of this.#world.devices) {
      if (device === undefined) continue;
      const { stage, epochs } = device.status();
      this.#history.note(device.id, { kind: 'stands', stage: STAGES.indexOf(stage), epochs });
      for (const { keyId, peer, role, state, directKem } of device.keys()) {
        if (role !== 'initiator' || !UNFINISHED.has(state)) continue;
        this.#history.note(device.id, { kind: 'unfinished', keyId, peer, state, directKem });
      }
      for (const { groupId } of device.group.list()) {
        try {
          const { epochId, bytes } = device.group.key(groupId);
          this.secrets.add(toHex(bytes));
          this.#history.note(device.id, { kind: 'epoch', groupId, epochId, digest: digestOf(bytes) });
        } catch (error) {
          this.#world.occurrences.note(`group-key:${codeOf(error)}`);
        }
      }
    }
  }

  /** What every device says at the end of each key that anybody ever had. */
  lookBack(): void {
    const ids = new Set(
      this.#history.entries.flatMap(({ seen }) => ('keyId' in seen ? (seen.keyId ?? []) : [])),
    );
    for (const { device } of this.#world.devices) {
      if (device === undefined) continue;
      for (const keyId of ids) {
        try {
          const key = device.key(keyId);
          const { peer, state } = key;
          const bytes = key.bytes();
          this.secrets.add(toHex(bytes));
          this.#history.note(device.id, { kind: 'key', keyId, peer, state, digest: digestOf(bytes) });
        } catch (error) {
          this.#history.note(device.id, { kind: 'no-key', keyId, code: codeOf(error) });
        }
      }
    }
  }
}
