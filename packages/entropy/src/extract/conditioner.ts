import { createHmac } from 'node:crypto';
import { SymmetraError, utf8, wipe } from '@symmetra/crypto';
import { fixedCopy } from '../drbg/fixed-bytes.js';
import { SEED_BYTES } from '../source/seed-supply.js';

/** What one source gives to a seed. */
export interface ConditionerPart {
  /** The name of the source. */
  readonly source: string;
  /** Lent: the caller wipes them. At most 2^32 - 1. */
  readonly bytes: Uint8Array;
  /** Min-entropy that is credited to them; 0 for what is mixed in without credit. At most their number of bits. */
  readonly entropyBits: number;
}

/** Credited min-entropy that a seed needs: 64 bits beyond its length make it full entropy (SP 800-90C, 3.2.2.2). */
export const SEED_ENTROPY_BITS = SEED_BYTES * 8 + 64;

/**
 * The key, public and fixed: SP 800-90B, 3.1.5.1.2 allows any key that does not come from the noise that is
 * conditioned. It names the purpose, so that the same input gives no output that means something elsewhere.
 */
const KEY = utf8('symmetra entropy conditioner, HMAC-SHA-384, version 1');

/**
 * Conditions what several sources gave to one seed with HMAC-SHA-384, a vetted function of SP 800-90B, 3.1.5.1.1. The
 * message is the number of parts, then for each the source's name and its bytes with their lengths in front, in 4
 * bytes, big-endian: parts that differ in any way give different messages, and no source can cancel another. The sum of
 * what is credited counts on sources that are independent.
 * @returns 48 bytes with full entropy, which the caller owns.
 * @throws CONDITIONER_ENTROPY_SHORT when less than 448 bits are credited in all, CONDITIONER_BAD_PART when a part is
 *   credited an impossible number of bits
 */
export function condition(parts: readonly ConditionerPart[]): Uint8Array {
  let credited = 0;
  for (const { source, bytes, entropyBits } of parts) {
    if (!(entropyBits >= 0 && entropyBits <= bytes.length * 8)) {
      throw new SymmetraError(
        'CONDITIONER_BAD_PART',
        `${entropyBits} bits can not be credited to ${bytes.length} bytes`,
        { source, entropyBits, length: bytes.length },
      );
    }
    credited += entropyBits;
  }
  if (credited < SEED_ENTROPY_BITS) {
    throw new SymmetraError(
      'CONDITIONER_ENTROPY_SHORT',
      `a seed needs ${SEED_ENTROPY_BITS} bits of entropy, not ${credited}`,
      { credited, needed: SEED_ENTROPY_BITS },
    );
  }
  const message = messageOf(parts);
  const digest = createHmac('sha384', KEY).update(message).digest();
  const seed = fixedCopy(digest);
  wipe(message, digest);
  return seed;
}

/** In one piece: an update of a hash costs more than the bytes that it takes. */
function messageOf(parts: readonly ConditionerPart[]): Uint8Array {
  const lengths = parts.map(({ source, bytes }) => 8 + Buffer.byteLength(source) + bytes.length);
  const message = Buffer.alloc(lengths.reduce((sum, length) => sum + length, 4));
  let at = message.writeUInt32BE(parts.length);
  for (const { source, bytes } of parts) {
    at = message.writeUInt32BE(Buffer.byteLength(source), at);
    at += message.write(source, at);
    at = message.writeUInt32BE(bytes.length, at);
    message.set(bytes, at);
    at += bytes.length;
  }
  return message;
}
