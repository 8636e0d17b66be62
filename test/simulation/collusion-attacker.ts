import { combine, equalConstantTime, toHex } from '@symmetra/crypto';
import { decodeHeader, decodePairMessage, nodeTokenSecret } from '@symmetra/protocol';
import type {
  BrokerRequest,
  ContinuityEntry,
  DeliveryFields,
  Header,
  KeyMaterial,
  NodeTokenSecret,
  PairResponse,
  ProtocolContext,
  TokenSecret,
} from '@symmetra/protocol';
import {
  pairSecrets,
  pairTranscriptHash,
  shareCommitment,
} from '../../packages/protocol/src/pairwise/transcript.js';
import { attempt, epochOfEnrolment, epochOfStep, sessionOf } from './collusion-chains.js';
import type { KnownEpoch, KnownSession, PublicNode } from './collusion-chains.js';
import { EVENT, NEGOTIATE, decodeDelivery, decodeRequest } from './collusion-methods.js';
import type { KemOracle, WireRecord } from './collusion-wire.js';

const EMPTY = new Uint8Array(0);
const SHARE_BYTES = 32;

/** One header that the attacker has seen, with the shares of it that came along. */
interface SeenHeader {
  readonly bytes: Uint8Array;
  readonly header: Header;
  ephemeralKey: Uint8Array;
  /** By place. */
  readonly shares: Map<number, Uint8Array>;
}

/**
 * Computes every application key that follows from what it has been told, whoever told it: one program for all
 * coalitions. It follows chains from epoch to epoch, opens the sessions that it can, combines the shares that it finds
 * in every way, and tries each result with each KEM secret and each continuity secret that it has against each response.
 */
export class Attacker {
  readonly context: ProtocolContext;
  readonly #nodes: readonly PublicNode[];
  readonly #oracles: KemOracle[] = [];
  readonly #tokens: NodeTokenSecret[] = [];
  readonly #epochs: KnownEpoch[] = [];
  readonly #wire: WireRecord[] = [];
  readonly #headers = new Map<string, SeenHeader>();
  readonly #responses = new Map<string, { readonly bytes: Uint8Array; readonly response: PairResponse }>();
  readonly #keys = new Set<string>();
  readonly continuity: ContinuityEntry[] = [];

  constructor(context: ProtocolContext, nodes: readonly PublicNode[]) {
    this.context = context;
    this.#nodes = nodes;
  }

  hear(records: readonly WireRecord[]): void {
    this.#wire.push(...records);
  }

  breakKem(oracle: KemOracle): void {
    this.#oracles.push(oracle);
  }

  learnNodeToken(token: NodeTokenSecret): void {
    this.#tokens.push(token);
  }

  learnToken(token: TokenSecret): void {
    for (const { id, keyHash } of this.#nodes) {
      this.learnNodeToken(nodeTokenSecret(this.context.networkId, token, id, keyHash));
    }
  }

  learnEpoch(epoch: KnownEpoch): void {
    this.#epochs.push(epoch);
  }

  learnContinuity(entry: ContinuityEntry): void {
    this.continuity.push(entry);
  }

  /** A share as it came with its header, at the node or from it. */
  learnShare(nodeId: string, { header: bytes, share, ephemeralKey }: BrokerRequest | DeliveryFields): void {
    const header = attempt(() => decodeHeader(this.context, bytes));
    const place = header === undefined ? 0 : header.nodes.indexOf(nodeId) + 1;
    if (header === undefined || place === 0) return;
    const name = toHex(bytes);
    const seen = this.#headers.get(name) ?? { bytes, header, ephemeralKey, shares: new Map() };
    if (ephemeralKey.length > 0) seen.ephemeralKey = ephemeralKey;
    seen.shares.set(place, share.slice());
    this.#headers.set(name, seen);
  }

  /** Looks for shares anywhere in bytes of any kind: wherever 32 of them fit a commitment of a header that it has seen. */
  sift(bytes: Uint8Array): void {
    for (const { header, shares } of this.#headers.values()) {
      const suite = this.context.suites.get(header.suiteId);
      for (const [i, commitment] of header.commitments.entries()) {
        for (let at = 0; at + SHARE_BYTES <= bytes.length; at++) {
          const share = bytes.subarray(at, at + SHARE_BYTES);
          const fits = equalConstantTime(commitment, shareCommitment(suite, header.keyId, i + 1, share));
          if (fits) shares.set(i + 1, share.slice());
        }
      }
    }
  }

  /** A key that the attacker agreed on itself, in somebody's place. */
  learnKey({ applicationKey }: KeyMaterial): void {
    this.#keys.add(toHex(applicationKey.bytes));
  }

  /** Every application key that follows, in hexadecimal. */
  compute(): ReadonlySet<string> {
    this.#followChains();
    this.#readSessions();
    for (let before = -1; before < this.continuity.length;) {
      before = this.continuity.length;
      this.#tryResponses();
    }
    return this.#keys;
  }

  readonly #kem: KemOracle = (publicKey) => {
    for (const oracle of this.#oracles) {
      const secretKey = oracle(publicKey);
      if (secretKey !== undefined) return secretKey;
    }
    return undefined;
  };

  #followChains(): void {
    const context = this.context;
    for (const record of this.#wire) {
      if (record.kind === 'enrolment') {
        const found = attempt(() => epochOfEnrolment(context, this.#kem, this.#nodes, this.#tokens, record));
        if (found !== undefined) this.#epochs.push(found);
      } else if (record.kind === 'step') {
        for (const known of this.#epochs) {
          const found = attempt(() => epochOfStep(context, this.#kem, this.#nodes, known, record));
          if (found !== undefined) this.#epochs.push(found);
        }
      }
    }
  }

  #readSessions(): void {
    const sessions = new Map<string, KnownSession>();
    for (const record of this.#wire) {
      if (record.kind !== 'session') continue;
      for (const known of this.#epochs) {
        const found = attempt(() => sessionOf(this.context, known, record));
        if (found !== undefined) sessions.set(toHex(found.sessionId), found);
      }
    }
    for (const record of this.#wire) {
      if (record.kind === 'pair') this.#learnMessage(record.message);
      if (record.kind !== 'sealed') continue;
      const session = sessions.get(toHex(record.sessionId));
      const end = record.from === 'device' ? session?.node : session?.device;
      const plaintext = end && attempt(() => end.open(record.method, record));
      if (session === undefined || plaintext === undefined) continue;
      const carried = record.method === EVENT ? decodeDelivery(plaintext) : undefined;
      const found = record.method === NEGOTIATE ? decodeRequest(plaintext) : carried;
      if (found !== undefined) this.learnShare(session.parties.nodeId, found);
    }
  }

  #learnMessage(bytes: Uint8Array): void {
    const message = attempt(() => decodePairMessage(bytes));
    if (message?.kind === 'response') this.#responses.set(toHex(bytes), { bytes, response: message });
  }

  #tryResponses(): void {
    for (const { response } of this.#responses.values()) {
      for (const seen of this.#headers.values()) {
        if (equalConstantTime(seen.header.keyId, response.keyId)) this.#tryResponse(seen, response);
      }
    }
  }

  #tryResponse(seen: SeenHeader, response: PairResponse): void {
    const { header, bytes, ephemeralKey } = seen;
    const suite = this.context.suites.get(header.suiteId);
    const th = pairTranscriptHash(suite, bytes, response);
    const secretKey = this.#kem(ephemeralKey);
    const shared = secretKey && attempt(() => suite.kem.decapsulate(response.ciphertext, secretKey));
    const continuities = [EMPTY, ...this.continuity.map(({ secret }) => secret.bytes)];
    for (const split of splitsOf(seen.shares)) {
      for (const direct of shared === undefined ? [EMPTY] : [EMPTY, shared]) {
        for (const continuity of continuities) {
          const inputs = { split, direct, continuity };
          const secrets = pairSecrets(this.context, suite, header, inputs, th);
          if (!equalConstantTime(secrets.responderTag, response.tag)) continue;
          this.#keys.add(toHex(secrets.applicationKey.bytes));
          const known = this.continuity.some(({ id }) => equalConstantTime(id, secrets.continuityId));
          if (known) continue;
          const { continuityId: id, continuity: secret } = secrets;
          this.learnContinuity({ id, suiteId: suite.id, secret });
        }
      }
    }
  }
}

/** What S could be: each share alone, and what each two or more of them combine to. */
export function splitsOf(shares: ReadonlyMap<number, Uint8Array>): readonly Uint8Array[] {
  const all = Array.from(shares, ([x, bytes]) => ({ x, bytes }));
  const splits: Uint8Array[] = [];
  for (let subset = 1; subset < 2 ** all.length; subset++) {
    const chosen = all.filter((_, i) => (subset & (1 << i)) !== 0);
    const [only] = chosen;
    if (chosen.length > 1) splits.push(combine(chosen));
    else if (only !== undefined) splits.push(only.bytes);
  }
  return splits;
}
