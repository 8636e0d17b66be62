import { Writer, toHex } from '@symmetra/crypto';
import { LinkCipher, MAX_LINK_DATAGRAMS, linkNumber, writeEnd } from '@symmetra/protocol';
import type { LinkEnd, LinkKeys } from '@symmetra/protocol';
import { FrameBatch } from './frames.js';

/** LINK-7: how long a link is kept for what is under way when it is no longer sent on. */
const GRACE_MS = 60_000;
/** LINK-7: links that an end holds with one process. */
const MAX_LINKS = 4;
/** LINK-5: the number at which a link is renewed whatever the time. */
const RENEW_AT_SEQUENCE = 2 ** 31;
/** LINK-7: how much later the greater end begins to renew. */
const LATER = 1.1;

/** A link with a process, as this end holds it. */
export interface HeldLink {
  readonly process: PeerProcess;
  readonly cipher: LinkCipher;
  readonly number: bigint;
  /** LINK-7: number of the link that it renews. */
  readonly follows: bigint | undefined;
  /** H(pk_Ni) of the peer's node when the link came about, in hexadecimal. */
  readonly keyHash: string;
  readonly renewAt: number;
  /** From then on this end does not send on it. */
  readonly endAt: number;
  /** LINK-4: whether this end may send on it. */
  open: boolean;
  /** LINK-7: one that renews it is open: this end never sends on it again. */
  renewed: boolean;
  eraseAt: number;
}

/** A process of a node that this one has links with, or wants one with. */
export class PeerProcess implements LinkEnd {
  readonly nodeId: string;
  readonly instance: string;
  /** What waits for the next datagram. */
  readonly batch: FrameBatch;
  /** LINK-6: the highest id of a request that was taken. */
  lastRequest = 0;
  /** When something from it was opened last, or a link came about. */
  heardAt = Number.NEGATIVE_INFINITY;
  /** The bus said that nobody listens, or it was silent; not authentic. */
  absent = false;
  /** A datagram shall go out, if with no frame. */
  owed = false;
  /** In the order in which they came about. */
  readonly links: HeldLink[] = [];
  /** The one to send on. */
  #current: HeldLink | undefined;

  constructor(end: LinkEnd, batchBytes: number) {
    this.nodeId = end.nodeId;
    this.instance = end.instance;
    this.batch = new FrameBatch(batchBytes);
  }

  /** The link to send on at that time, if there is one. */
  sending(now: number): HeldLink | undefined {
    const link = this.#current;
    const serves = link !== undefined && now < link.endAt && link.cipher.sealed < MAX_LINK_DATAGRAMS;
    return serves ? link : undefined;
  }

  /** LINK-7: the link to be renewed at that time, if there is one. */
  overdue(now: number): HeldLink | undefined {
    const link = this.sending(now);
    if (link === undefined) return undefined;
    return now >= link.renewAt || link.cipher.sealed >= RENEW_AT_SEQUENCE ? link : undefined;
  }

  /** Holds a link whose handshake is complete for this end. Returns what had to go for it. */
  hold(
    keys: LinkKeys,
    role: 'initiator' | 'responder',
    terms: { readonly now: number; readonly renewMs: number; readonly keyHash: string },
  ): { readonly link: HeldLink; readonly dropped: readonly HeldLink[] } {
    const { now, renewMs, keyHash } = terms;
    const lesser = hexOf(role === 'initiator' ? keys.initiator : keys.responder) < hexOf(this);
    const link: HeldLink = {
      process: this,
      cipher: new LinkCipher(keys, role),
      number: linkNumber(keys.linkId),
      follows: keys.follows.length === 0 ? undefined : linkNumber(keys.follows),
      keyHash,
      renewAt: now + renewMs * (lesser ? 1 : LATER),
      endAt: now + 2 * renewMs,
      open: false,
      renewed: false,
      eraseAt: now + 2 * renewMs + GRACE_MS,
    };
    this.links.push(link);
    this.heardAt = now;
    const dropped: HeldLink[] = [];
    while (this.links.length > MAX_LINKS) dropped.push(this.#dropOldest());
    return { link, dropped };
  }

  /** LINK-4, LINK-7: this end may send on the link from now on, and never again on the one that it renews. */
  opened(link: HeldLink): void {
    link.open = true;
    const former = this.#formerOf(link);
    if (former !== undefined) former.renewed = true;
    this.#choose();
    this.owed = true;
  }

  /** LINK-7: a datagram has verified on the link: nothing is sent to here any more on the one that it renews. */
  verified(link: HeldLink, now: number): void {
    this.heardAt = now;
    this.absent = false;
    const former = this.#formerOf(link);
    if (former !== undefined) former.eraseAt = Math.min(former.eraseAt, now + GRACE_MS);
  }

  /** Erases the links that the test picks, and returns them. */
  erase(which: (link: HeldLink) => boolean): readonly HeldLink[] {
    const gone = this.links.filter(which);
    for (const link of gone) {
      link.cipher.wipe();
      this.links.splice(this.links.indexOf(link), 1);
    }
    this.#choose();
    return gone;
  }

  /** LINK-7: of the links that are open and not renewed, this end sends on the one that came about last. */
  #choose(): void {
    this.#current = this.links.findLast(({ open, renewed }) => open && !renewed);
  }

  #formerOf({ follows }: HeldLink): HeldLink | undefined {
    return follows === undefined ? undefined : this.links.find(({ number }) => number === follows);
  }

  #dropOldest(): HeldLink {
    const oldest = this.links.find((link) => link !== this.#current) as HeldLink;
    this.erase((link) => link === oldest);
    return oldest;
  }
}

function hexOf(end: LinkEnd): string {
  return toHex(writeEnd(new Writer(), end).finish());
}
