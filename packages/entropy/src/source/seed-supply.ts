/** Full-entropy seeds: 384 bits each, conditioned from what healthy sources gave (SP 800-90C, 3.2.2.2). */
export const SEED_BYTES = 48;

/** Where the two tiers take their entropy from. A seed leaves it once. */
export interface SeedSupply {
  /** How many seeds can be taken now. */
  readonly available: number;
  /** The next seed, which the caller owns and wipes; undefined when none is left. */
  take(): Uint8Array | undefined;
}
