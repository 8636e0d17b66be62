import { SymmetraError } from '@symmetra/crypto';
import type { MethodPolicy } from './method-policy.js';
import { RateLimiter } from './rate.js';
import type { Rate } from './rate.js';

const MAX_ADDRESSES = 16_384;
const MAX_BUCKETS = 65_536;
const SUBJECT_BYTES = 16;

/** Checks that come before any handler: the method table, the size, the rates. */
export class Admission {
  readonly #policyOf: (fullName: string) => MethodPolicy;
  readonly #ratePerAddress: Rate;
  readonly #addresses: RateLimiter;
  readonly #methods: RateLimiter;

  /**
   * @param policyOf throws METHOD_NOT_ALLOWED for a method that it does not know.
   * @param ratePerAddress of all methods together; it bounds what a peer gains by inventing sessions.
   * @param now milliseconds; only differences count.
   */
  constructor(policyOf: (fullName: string) => MethodPolicy, ratePerAddress: Rate, now: () => number) {
    this.#policyOf = policyOf;
    this.#ratePerAddress = ratePerAddress;
    this.#addresses = new RateLimiter(now, MAX_ADDRESSES);
    this.#methods = new RateLimiter(now, MAX_BUCKETS);
  }

  /**
   * Everything that can be checked before the request is decoded.
   * @param address of the peer, as `addressKey` gives it.
   * @throws SymmetraError METHOD_NOT_ALLOWED, MESSAGE_TOO_LARGE, RATE_LIMITED.
   */
  admit(method: string, bytes: number, address: string): MethodPolicy {
    const policy = this.#policyOf(method);
    if (bytes > policy.maxBytes) {
      throw new SymmetraError('MESSAGE_TOO_LARGE', 'the message is longer than the method accepts', {
        bytes,
        maxBytes: policy.maxBytes,
      });
    }
    const admitted =
      this.#addresses.take(address, this.#ratePerAddress) &&
      (policy.rate.per !== 'peer-address' || this.#methods.take(`${method} ${address}`, policy.rate));
    if (!admitted) throw rateLimited();
    return policy;
  }

  /**
   * The rate of a sealed or signed method.
   * @param subject session id or administrator id, as the request states it.
   * @throws SymmetraError RATE_LIMITED.
   */
  admitSubject(policy: MethodPolicy, method: string, subject: Uint8Array, address: string): void {
    const name = Buffer.from(subject.subarray(0, SUBJECT_BYTES)).toString('latin1');
    if (!this.#methods.take(`${method} ${address} ${name}`, policy.rate)) throw rateLimited();
  }
}

function rateLimited(): SymmetraError {
  return new SymmetraError('RATE_LIMITED', 'too many calls; try again later');
}
