import { SymmetraError, fromBase32 } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, MAX_KEY_LENGTH, MIN_KEY_LENGTH } from '@symmetra/protocol';
import type { PairRequest } from '@symmetra/protocol';

const DEFAULT_PURPOSE = 'application';
const MAX_PURPOSE_BYTES = 64;
const DEFAULT_KEY_LENGTH = 32;
const DEFAULT_LIFETIME_MS = 24 * 3_600_000;
const MAX_U32 = 0xffff_ffff;

/** What a key is asked to be. */
export interface NegotiateOptions {
  /** What the key is for: 1 to 64 bytes; both ends see it. Default `application`. */
  readonly purpose?: string;
  /** Bytes of the key, 16 to 64; default 32. */
  readonly keyLength?: number;
  /** Milliseconds; default one day. The nodes may grant less. */
  readonly lifetime?: number;
  /** How often the key may be used; default without limit. */
  readonly uses?: number;
  readonly suite?: number;
  /** Whether a KEM between the two devices goes into the key; default true. */
  readonly directKem?: boolean;
  /** How many nodes must take part: as many as the network asks (default), or all of them. */
  readonly threshold?: 'k' | 'all';
  /** Milliseconds to wait for the peer, default 30,000; then the key goes on pending in the background. */
  readonly wait?: number;
  /** Whether to go directly to the peer where that is possible; default true. */
  readonly direct?: boolean;
}

/** The part of a request that follows from the options alone. @throws BAD_OPTION */
export function checkedWishes(
  options: NegotiateOptions,
): Pick<PairRequest, 'purpose' | 'keyLength' | 'limits'> {
  const { keyLength = DEFAULT_KEY_LENGTH, lifetime = DEFAULT_LIFETIME_MS, uses = 0 } = options;
  return {
    purpose: checkedPurpose(options.purpose),
    keyLength: checkedNumber('keyLength', keyLength, MIN_KEY_LENGTH, MAX_KEY_LENGTH),
    limits: {
      lifetimeSeconds: checkedNumber('lifetime', Math.ceil(lifetime / 1000), 1, MAX_U32),
      uses: checkedNumber('uses', uses, 0, MAX_U32),
    },
  };
}

/** What a key is for. @throws BAD_OPTION */
export function checkedPurpose(purpose = DEFAULT_PURPOSE): string {
  const { length } = Buffer.from(purpose, 'utf8');
  if (length > 0 && length <= MAX_PURPOSE_BYTES) return purpose;
  throw new SymmetraError('BAD_OPTION', 'the purpose has 1 to 64 bytes', { option: 'purpose' });
}

/** A whole number within bounds. @throws BAD_OPTION */
export function checkedNumber(option: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SymmetraError('BAD_OPTION', `${option} must be a whole number from ${min} to ${max}`, { option });
}

/** A peer's device id from its text. @throws BAD_PEER */
export function parsePeer(text: string): Uint8Array {
  try {
    const id = fromBase32(text);
    if (id.length === DEVICE_ID_LENGTH) return id;
  } catch {
    // Told below.
  }
  throw new SymmetraError('BAD_PEER', 'this is no device id: 52 characters of a-z and 2-7');
}
