/** What a tier has taken and given, in bits; exact up to 2^53, which is a pebibyte. */
export interface TierLedger {
  /** Entropy that seeded and reseeded its DRBG: 384 bits a seed. */
  readonly seedBitsIn: number;
  /** Entropy that was taken to go into the output itself; 0 in the `drbg` tier. */
  readonly maskBitsIn: number;
  readonly bitsOut: number;
}
