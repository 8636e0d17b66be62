import { equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { ContinuityOffer, Header } from './header.js';
import { offerTag } from './transcript.js';
import type { ContinuitySecret, PairSecrets } from './transcript.js';

/**
 * PAIR-5: most continuity secrets that a responder keeps per initiator; the one that was of no use for longest is
 * dropped first. What an initiator offers is never among those: between the moment when the responder last used a
 * secret and the first header that offers it, at most {@link MAX_IN_FLIGHT} other headers can arrive.
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

/**
 * PAIR-5: a secret as the responder keeps it. It is confirmed once the initiator has shown that it holds it too: by a
 * confirmation, or by a later offer. Only a confirmed one makes continuity a duty.
 */
export interface HeldContinuity extends ContinuityEntry {
  readonly confirmed: boolean;
}

/**
 * PAIR-5: what an initiator keeps per peer: the newest secret that it confirmed, and one that is known to be
 * confirmed at the responder too.
 */
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

/** PAIR-8: the initiator confirmed; `entry` becomes the newest, and is copied. */
export function withConfirmed(
  continuity: InitiatorContinuity,
  entry: ContinuityEntry,
): Step<InitiatorContinuity, undefined> {
  const state = { ...continuity, newest: { ...entry, secret: entry.secret.clone() } };
  return { state, output: undefined, consumed: leftSecrets(entriesOf(continuity), entriesOf(state)) };
}

/**
 * PAIR-9: the responder acknowledged. The entry becomes the acknowledged one when it is still the newest, or when there
 * is none: a late acknowledgement never puts an older secret in place of a later one.
 */
export function withAcknowledged(
  continuity: InitiatorContinuity,
  entry: ContinuityEntry,
): Step<InitiatorContinuity, undefined> {
  const { acknowledged, newest } = continuity;
  const isNewest = newest !== undefined && sameId(newest.id, entry.id);
  if (!isNewest && acknowledged !== undefined) {
    return { state: continuity, output: undefined, consumed: [] };
  }
  const state = {
    ...continuity,
    acknowledged: isNewest ? newest : { ...entry, secret: entry.secret.clone() },
  };
  return { state, output: undefined, consumed: leftSecrets(entriesOf(continuity), entriesOf(state)) };
}

/** PAIR-7: the responder keeps a copy of the new secret, behind those that the header offered. */
export function withResponded(
  context: ProtocolContext,
  header: Header,
  held: readonly HeldContinuity[],
  entry: ContinuityEntry,
): Step<readonly HeldContinuity[], undefined> {
  const shown = held.filter((one) => isOffered(context, header, one));
  const others = held.filter((one) => !shown.includes(one));
  const used = shown.map(({ id, suiteId, secret }) => ({ id, suiteId, secret, confirmed: true }));
  return bounded(held, [...others, ...used, { ...entry, secret: entry.secret.clone(), confirmed: false }]);
}

/** PAIR-9: the initiator confirmed `entry`: it is now a duty, and the one used last. */
export function withConfirmation(
  held: readonly HeldContinuity[],
  entry: ContinuityEntry,
): Step<readonly HeldContinuity[], undefined> {
  const others = held.filter((one) => !sameId(one.id, entry.id));
  return bounded(held, [...others, { ...entry, secret: entry.secret.clone(), confirmed: true }]);
}

/** Whether the responder must not complete without continuity, the negotiation that made `own` apart. */
export function mustContinue(held: readonly HeldContinuity[], own?: ContinuityEntry): boolean {
  const proven = held.filter((entry) => entry.confirmed);
  return proven.length > 0 && !(own && proven.some((entry) => sameId(entry.id, own.id)));
}

function bounded(
  before: readonly HeldContinuity[],
  all: readonly HeldContinuity[],
): Step<readonly HeldContinuity[], undefined> {
  const state = all.slice(Math.max(0, all.length - MAX_HELD));
  return { state, output: undefined, consumed: leftSecrets(before, state) };
}

function entriesOf(continuity: InitiatorContinuity): readonly ContinuityEntry[] {
  return [continuity.acknowledged, continuity.newest].filter((entry) => entry !== undefined);
}

/** The secrets that were kept and are kept no more. */
function leftSecrets(
  before: readonly ContinuityEntry[],
  after: readonly ContinuityEntry[],
): readonly ContinuitySecret[] {
  const kept = new Set(after.map((entry) => entry.secret));
  return before.map((entry) => entry.secret).filter((secret) => !kept.has(secret));
}

/** PAIR-7: the secret used last that both sides hold and whose offer verifies; undefined when there is none. */
export function chooseContinuity(
  context: ProtocolContext,
  header: Header,
  held: readonly HeldContinuity[],
): ContinuityEntry | undefined {
  return held.findLast((entry) => isOffered(context, header, entry));
}

function isOffered(context: ProtocolContext, header: Header, entry: ContinuityEntry): boolean {
  const offer = header.offers.find((one) => sameId(one.id, entry.id));
  return offer !== undefined && verifiesOffer(context, header, offer, entry);
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
