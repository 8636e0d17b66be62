import { equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import type { ContinuityOffer, Header } from './header.js';
import { offerTag } from './transcript.js';
import type { ContinuitySecret, PairSecrets } from './transcript.js';

/**
 * PAIR-5: most continuity secrets that a responder keeps per initiator. An initiator has at most
 * {@link MAX_IN_FLIGHT} negotiations with one peer under way, and what it offers is never further back than twice
 * that, however the messages are reordered.
 */
export const MAX_HELD = 130;
/** PAIR-5: most unfinished negotiations that an initiator keeps with one peer. */
export const MAX_IN_FLIGHT = 64;

/** A continuity secret of one direction between two devices. */
export interface ContinuityEntry {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly suiteId: number;
  readonly secret: ContinuitySecret;
}

/** PAIR-5: what an initiator keeps per peer: the last acknowledged secret, and the newest that it confirmed. */
export interface InitiatorContinuity {
  readonly acknowledged?: ContinuityEntry;
  readonly newest?: ContinuityEntry;
}

/** The entries to offer, newest last, each once. */
export function offered(continuity: InitiatorContinuity): readonly ContinuityEntry[] {
  const { acknowledged, newest } = continuity;
  const entries = [acknowledged, newest].filter((entry) => entry !== undefined);
  return entries.length === 2 && entries[0] && entries[1] && sameId(entries[0].id, entries[1].id)
    ? [entries[1]]
    : entries;
}

/** PAIR-5: the responder keeps a new secret; the oldest beyond the bound is dropped and to be wiped. */
export function retain(
  held: readonly ContinuityEntry[],
  entry: ContinuityEntry,
): { readonly held: readonly ContinuityEntry[]; readonly dropped: readonly ContinuityEntry[] } {
  const all = [...held, entry];
  const excess = Math.max(0, all.length - MAX_HELD);
  return { held: all.slice(excess), dropped: all.slice(0, excess) };
}

/** PAIR-7: the newest secret that both sides hold and whose offer verifies; undefined when there is none. */
export function chooseContinuity(
  context: ProtocolContext,
  header: Header,
  held: readonly ContinuityEntry[],
): ContinuityEntry | undefined {
  return held.findLast((entry) => {
    const offer = header.offers.find((one) => sameId(one.id, entry.id));
    return offer !== undefined && verifiesOffer(context, header, offer, entry);
  });
}

function verifiesOffer(
  context: ProtocolContext,
  header: Header,
  offer: ContinuityOffer,
  entry: ContinuityEntry,
): boolean {
  const suite = context.suites.get(entry.suiteId);
  return equalConstantTime(offer.tag, offerTag(context, suite, header, entry.secret));
}

/** The continuity secret that a negotiation leaves behind. */
export function continuityEntry(suiteId: number, secrets: PairSecrets): ContinuityEntry {
  return { id: secrets.continuityId, suiteId, secret: secrets.continuity };
}

function sameId(a: Uint8Array, b: Uint8Array): boolean {
  return equalConstantTime(a, b);
}
