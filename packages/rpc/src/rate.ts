/** How often something may happen: a bucket of `burst` tokens that refills by `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds on the clock when `tokens` was right. */
  at: number;
}

/**
 * Token buckets in bounded memory. When there are too many, the one that was used longest ago is
 * forgotten; it would have refilled first.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  readonly #maxBuckets: number;

  /** @param now milliseconds; only differences count. */
  constructor(now: () => number, maxBuckets: number) {
    this.#now = now;
    this.#maxBuckets = maxBuckets;
  }

  /** How many buckets are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token of the bucket `key`; false when it is empty. */
  take(key: string, rate: Rate): boolean {
    const now = this.#now();
    const bucket = this.#recall(key) ?? { tokens: rate.burst, at: now };
    const elapsedSeconds = Math.max(0, now - bucket.at) / 1000;
    bucket.tokens = Math.min(rate.burst, bucket.tokens + elapsedSeconds * rate.perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    this.#forgetOldest();
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Removes the bucket, so that setting it again makes it the newest. */
  #recall(key: string): Bucket | undefined {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) this.#buckets.delete(key);
    return bucket;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= this.#maxBuckets) return;
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}
