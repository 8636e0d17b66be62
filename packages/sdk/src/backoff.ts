/** How pauses between attempts grow. */
export interface BackoffRule {
  readonly firstMs: number;
  readonly maxMs: number;
}

const GROWTH = 2;
const JITTER = 0.2;

/**
 * The pause before attempt number `attempt`, counted from 0: doubling up to the bound, and 20 percent more or less,
 * so that many devices do not come back in step.
 *
 * @param fraction 0 to 1, at random.
 */
export function pauseMs(rule: BackoffRule, attempt: number, fraction: number): number {
  const pause = Math.min(rule.maxMs, rule.firstMs * GROWTH ** Math.min(attempt, 30));
  return Math.round(jittered(pause, fraction, JITTER));
}

/** `ms`, up to `share` of it more or less. @param fraction 0 to 1, at random */
export function jittered(ms: number, fraction: number, share: number): number {
  return ms * (1 - share + 2 * share * fraction);
}

/** A number from 0 to 1 out of two random bytes. */
export function fractionOf(random: (length: number) => Uint8Array): number {
  const [high = 0, low = 0] = random(2);
  return (high * 256 + low) / 0xffff;
}
