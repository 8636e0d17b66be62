import { toHex } from '@symmetra/crypto';

/** One thing that was seen of a device of the fleet. Devices and peers stand by their names. */
export type Happening =
  /** Its state directory is open, it is connected, or it was closed. */
  | { readonly kind: 'lifecycle'; readonly step: 'enrolled' | 'opened' | 'connected' | 'closed' }
  /** The epochs that it holds, by node. */
  | { readonly kind: 'epochs'; readonly epochs: Readonly<Record<string, number>> }
  /** It did something that began at a place of the history: `ok`, the state of a key, or a stable code. */
  | {
      readonly kind: 'did';
      readonly task: 'negotiate' | 'ratchet' | 'connect';
      readonly began: number;
      readonly outcome: string;
      readonly peer?: string;
      readonly keyId?: string;
      readonly detail?: string;
    }
  /** A key became active. */
  | { readonly kind: 'key'; readonly keyId: string; readonly peer: string; readonly fingerprint: string }
  /** It took the PSK of one TLS connection. */
  | { readonly kind: 'psk'; readonly role: 'client' | 'server'; readonly identity: string }
  /** The administrators' revocation of this device is in force. */
  | { readonly kind: 'revoked' }
  /** It was told that a device, maybe itself, is revoked. */
  | { readonly kind: 'told'; readonly revoked: string }
  /** It reported what a node delivered, or did not deliver. */
  | { readonly kind: 'reported'; readonly reason: string; readonly node: string }
  | { readonly kind: 'warned'; readonly code: string; readonly detail?: string }
  /** What it refused to do at the very end, asked for by the test. */
  | { readonly kind: 'refusal'; readonly task: string; readonly code: string; readonly peer?: string }
  /** A key that it holds at the end; the digest is that of its bytes. */
  | {
      readonly kind: 'holds';
      readonly keyId: string;
      readonly peer: string;
      readonly fingerprint: string;
      readonly digest: string;
    }
  /** The key that it agreed on after everything else. */
  | { readonly kind: 'last'; readonly peer: string; readonly keyId: string };

/** A happening, and its place among all of the run. */
export interface Entry {
  readonly at: number;
  readonly device: string;
  readonly seen: Happening;
}

/** What a whole fleet went through, in one order. */
export class FleetHistory {
  readonly #entries: Entry[] = [];

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** The place of the next entry. */
  get now(): number {
    return this.#entries.length;
  }

  note(device: string, seen: Happening): void {
    this.#entries.push({ at: this.now, device, seen });
  }

  /** Everything about one device, a line each. */
  print(device: string): string {
    const own = this.#entries.filter((entry) => entry.device === device);
    return own.map(({ at, seen }) => `  ${at} ${JSON.stringify(seen)}`).join('\n');
  }
}

/** What may be shown of bytes that must stay secret is their digest's beginning. */
export function shortDigest(digest: Uint8Array): string {
  return toHex(digest.subarray(0, 16));
}
