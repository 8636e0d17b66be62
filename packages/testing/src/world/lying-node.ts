import type { Bus } from '@symmetra/bus';
import { suiteTable } from '@symmetra/crypto';
import type { Suite, SuiteTable } from '@symmetra/crypto';
import { decode, encode } from '@symmetra/rpc';
import type { Prng } from '../prng.js';

/** What a lying node does. */
export const LIES = [
  'heartbeat-forged',
  'request-altered',
  'facts-altered',
  'answer-altered',
  'withheld',
  'share-altered',
] as const;
export type Lie = (typeof LIES)[number];

/** How often a node lies while it does. */
const HONESTY = 0.6;
const EVENT = 'symmetra.link.v1.DeviceEvent';
const INTRODUCE = 'introduce';

/** The mood of one node, which may turn into a liar. Its code is that of every node: it lies with what goes in and out. */
export class Mood {
  readonly #prng: Prng;
  readonly #note: (lie: Lie) => void;
  /** Whether the node lies now. */
  isLying = false;
  /** Whether it ever did. */
  hasLied = false;

  constructor(prng: Prng, note: (lie: Lie) => void) {
    this.#prng = prng;
    this.#note = note;
  }

  /** The bus of the node: what it tells the others, its own processes apart, is not what it has. */
  bus(bus: Bus): Bus {
    return {
      self: bus.self,
      instance: bus.instance,
      request: async (to, subject, payload, options) => {
        if (to === bus.self) return bus.request(to, subject, payload, options);
        if (this.#lies('withheld', subject !== 'heartbeat')) return new Uint8Array(0);
        const said =
          subject === INTRODUCE
            ? this.#otherFacts(payload)
            : this.#altered('request-altered', subject, payload);
        return bus.request(to, subject, said, options);
      },
      serve: (subject, handler) => {
        bus.serve(subject, async (from, payload) => {
          if (from === bus.self) return handler(from, payload);
          if (this.#lies('withheld', subject !== 'heartbeat')) return new Uint8Array(0);
          const answer = await handler(from, payload);
          return this.#altered(
            subject === 'heartbeat' ? 'heartbeat-forged' : 'answer-altered',
            subject,
            answer,
          );
        });
      },
      close: async () => bus.close(),
    };
  }

  /** The suites of the node: what it seals for devices is not what it should. */
  suites(table: SuiteTable): SuiteTable {
    return suiteTable(table.ids().map((id) => this.#suite(table.get(id))));
  }

  #suite(suite: Suite): Suite {
    return {
      ...suite,
      seal: (key, nonce, aad, plaintext) => suite.seal(key, nonce, aad, this.#deliveryOf(plaintext)),
    };
  }

  /** A delivery with another share or other limits; what is no delivery stays as it is. */
  #deliveryOf(plaintext: Uint8Array): Uint8Array {
    if (!this.isLying) return plaintext;
    try {
      const event = decode(EVENT, plaintext);
      if (event.delivery?.share.length !== 32 || !this.#lies('share-altered', true)) return plaintext;
      const share = this.#flipped(event.delivery.share);
      return encode(EVENT, { ...event, delivery: { ...event.delivery, share } });
    } catch {
      return plaintext;
    }
  }

  /** ENR-10: a part that reads well and says something else of the device: it ends with the value of its last tag. */
  #otherFacts(part: Uint8Array): Uint8Array {
    if (!this.isLying) return part;
    this.hasLied = true;
    this.#note('facts-altered');
    const other = part.slice();
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    return other;
  }

  #altered(lie: Lie, subject: string, bytes: Uint8Array): Uint8Array {
    // What it forwards for others it does not alter here: that is what the links between nodes are for.
    const isOwn = !subject.startsWith('rpc/');
    return bytes.length > 0 && this.#lies(lie, isOwn) ? this.#flipped(bytes) : bytes;
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const flipped = bytes.slice();
    const at = this.#prng.below(bytes.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << this.#prng.below(8));
    return flipped;
  }

  #lies(lie: Lie, may: boolean): boolean {
    if (!this.isLying || !may || this.#prng.chance(HONESTY)) return false;
    this.hasLied = true;
    this.#note(lie);
    return true;
  }
}
