import { Reader, SymmetraError } from '@symmetra/crypto';
import type { Secret, Suite } from '@symmetra/crypto';
import { ReplayWindow } from '../session/window.js';
import { LINK_ID_LENGTH, LINK_SEALED } from './messages.js';
import { wipeLinkKeys } from './transcript.js';
import type { FormerLink, LinkKeys } from './transcript.js';

/** LINK-5: bytes before the sealed frames: kind, link id, sequence number. */
export const LINK_HEADER_LENGTH = 1 + LINK_ID_LENGTH + 8;
/** Datagrams that one end may seal under one key. */
export const MAX_LINK_DATAGRAMS = 2 ** 32;

/**
 * LINK-5: one end of an open link: seals what it sends, opens what it receives. Its state is a counter and a replay
 * window, which live and die with the process. The header is the associated data; network, suite, ends and roles are
 * bound by the keys.
 */
export class LinkCipher {
  readonly linkId: Uint8Array;
  readonly #keys: LinkKeys;
  readonly #suite: Suite;
  readonly #sendKey: Secret<'LinkDirection'>;
  readonly #receiveKey: Secret<'LinkDirection'>;
  readonly #window = new ReplayWindow();
  #nextSeq = 0;

  /** Takes ownership of the keys. */
  constructor(keys: LinkKeys, role: 'initiator' | 'responder') {
    this.linkId = keys.linkId;
    this.#keys = keys;
    this.#suite = keys.suite;
    const initiates = role === 'initiator';
    this.#sendKey = initiates ? keys.initiatorKey : keys.responderKey;
    this.#receiveKey = initiates ? keys.responderKey : keys.initiatorKey;
  }

  /** Datagrams sealed so far. */
  get sealed(): number {
    return this.#nextSeq;
  }

  /** What the next link between these two processes mixes in. */
  get former(): FormerLink {
    return { linkId: this.linkId, key: this.#keys.former };
  }

  /** @throws LINK_EXHAUSTED; SECRET_WIPED after `wipe` */
  seal(frames: Uint8Array): Uint8Array {
    const seq = this.#nextSeq;
    if (seq >= MAX_LINK_DATAGRAMS) throw exhausted();
    this.#nextSeq = seq + 1;
    const header = new Uint8Array(LINK_HEADER_LENGTH);
    header[0] = LINK_SEALED;
    header.set(this.linkId, 1);
    new DataView(header.buffer).setUint32(LINK_HEADER_LENGTH - 4, seq);
    const sealed = this.#suite.seal(this.#sendKey.bytes, nonceOf(seq), header, frames);
    const datagram = new Uint8Array(LINK_HEADER_LENGTH + sealed.length);
    datagram.set(header);
    datagram.set(sealed, LINK_HEADER_LENGTH);
    return datagram;
  }

  /**
   * Opens a datagram of this link; each sequence number once.
   * @returns the frames
   * @throws BAD_ENCODING, LINK_EXHAUSTED, MESSAGE_REPLAYED, AUTHENTICATION_FAILED; SECRET_WIPED after `wipe`
   */
  open(datagram: Uint8Array): Uint8Array {
    const seq = sequenceOf(datagram);
    if (seq >= MAX_LINK_DATAGRAMS) throw exhausted();
    if (!this.#window.accepts(seq)) {
      throw new SymmetraError('MESSAGE_REPLAYED', 'the datagram was received before', { seq });
    }
    const header = datagram.subarray(0, LINK_HEADER_LENGTH);
    const sealed = datagram.subarray(LINK_HEADER_LENGTH);
    const frames = this.#suite.open(this.#receiveKey.bytes, nonceOf(seq), header, sealed);
    this.#window.mark(seq);
    return frames;
  }

  /** Erases the keys; the link is over. */
  wipe(): void {
    wipeLinkKeys(this.#keys);
  }
}

/** LINK-5: the link that a sealed datagram belongs to, as a key of a map. @throws BAD_ENCODING */
export function linkOf(datagram: Uint8Array): bigint {
  if (datagram.length < LINK_HEADER_LENGTH || datagram[0] !== LINK_SEALED) {
    throw new SymmetraError('BAD_ENCODING', 'the datagram has no whole header');
  }
  return linkNumber(datagram.subarray(1, 1 + LINK_ID_LENGTH));
}

/** A link id as a number. */
export function linkNumber(linkId: Uint8Array): bigint {
  return new Reader(linkId, 'link id').u64();
}

function sequenceOf(datagram: Uint8Array): number {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const at = LINK_HEADER_LENGTH - 8;
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}

function nonceOf(seq: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(8, seq);
  return nonce;
}

function exhausted(): SymmetraError {
  return new SymmetraError('LINK_EXHAUSTED', 'the link has carried all its datagrams');
}
