import { randomBytes } from 'node:crypto';
import { inspectOffer } from '@symmetra/protocol';
import type { TestDevice } from '@symmetra/testing';

/** How an enrolment offer is bad. */
export type BadOffer = 'unknownToken' | 'wrongTag' | 'garbage';

/** All ways, in the order in which they are measured. */
export const BAD_OFFERS: readonly BadOffer[] = ['unknownToken', 'wrongTag', 'garbage'];

const GARBAGE_BYTES = 1500;

/** Makes bad offers, no two alike, from a good one. */
export class OfferForge {
  readonly #good: Buffer;
  readonly #tokenIdAt: number;
  readonly #nonceAt: number;

  constructor(device: TestDevice, nodeId: string) {
    const good = device.makeOffer(nodeId);
    const { tokenId, enrolmentNonce } = inspectOffer(device.context, good);
    this.#good = Buffer.from(good);
    this.#tokenIdAt = this.#good.indexOf(tokenId);
    this.#nonceAt = this.#good.indexOf(enrolmentNonce);
  }

  make(kind: BadOffer): Buffer {
    if (kind === 'garbage') return randomBytes(GARBAGE_BYTES);
    const offer = Buffer.from(this.#good);
    // A tag belongs to one nonce.
    randomBytes(32).copy(offer, this.#nonceAt);
    if (kind === 'unknownToken') randomBytes(16).copy(offer, this.#tokenIdAt);
    return offer;
  }
}
