import { Secret, toHex } from '@symmetra/crypto';
import type { SimulatedDisk } from './disk.js';

/**
 * Remembers the secrets of a run by group (an epoch, a negotiation), so that a thief who copies a disk at any moment
 * can be asked which groups it lays open.
 */
export class SecretLedger {
  readonly #groups = new Map<string, { readonly group: string; readonly bytes: Uint8Array }>();

  /** Takes note of every secret inside a value. */
  remember(group: string, value: unknown): void {
    if (value instanceof Secret) {
      this.rememberBytes(group, (value as Secret<string>).bytes);
    } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      for (const item of Object.values(value)) this.remember(group, item);
    }
  }

  /** Takes note of a secret that is in no state. */
  rememberBytes(group: string, bytes: Uint8Array): void {
    const key = `${group}/${toHex(bytes)}`;
    if (!this.#groups.has(key)) this.#groups.set(key, { group, bytes: bytes.slice() });
  }

  /** The groups of which a secret stands on the disk. */
  exposed(disk: SimulatedDisk): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { group, bytes } of this.#groups.values()) {
      if (!found.has(group) && disk.contains(bytes)) found.add(group);
    }
    return found;
  }
}
