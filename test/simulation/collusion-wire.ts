import { suiteTable, suites, toHex } from '@symmetra/crypto';
import type { KemKeyPair, SuiteTable } from '@symmetra/crypto';

/** What somebody who taps every line sees, message by message. */
export type WireRecord =
  | { readonly kind: 'enrolment'; readonly offer: Uint8Array; readonly answer: Uint8Array }
  | { readonly kind: 'step'; readonly r1: Uint8Array; readonly r2: Uint8Array }
  | { readonly kind: 'session'; readonly open: Uint8Array; readonly answer: Uint8Array }
  | {
      readonly kind: 'sealed';
      readonly sessionId: Uint8Array;
      readonly from: 'device' | 'node';
      readonly method: string;
      readonly seq: number;
      readonly ciphertext: Uint8Array;
    }
  /** Between the devices, where nothing hides it. */
  | { readonly kind: 'pair'; readonly message: Uint8Array };

/** The secret key of a KEM public key, for whoever has it. */
export type KemOracle = (publicKey: Uint8Array) => Uint8Array | undefined;

/** Suite 1 as it is, with a note of every KEM key pair that anybody draws: what breaking the KEM would give. */
export class KemKeys {
  readonly suites: SuiteTable;
  readonly #secretKeys = new Map<string, Uint8Array>();

  constructor() {
    const suite = suites.get(1);
    const keygen = (seed: Uint8Array): KemKeyPair => {
      const pair = suite.kem.keygen(seed);
      this.#secretKeys.set(toHex(pair.publicKey), pair.secretKey.slice());
      return pair;
    };
    this.suites = suiteTable([{ ...suite, kem: { ...suite.kem, keygen } }]);
  }

  /** The secret key behind a public key. */
  readonly break: KemOracle = (publicKey) => this.#secretKeys.get(toHex(publicKey));
}
