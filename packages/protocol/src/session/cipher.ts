import { AuthenticationError, SymmetraError, Writer } from '@symmetra/crypto';
import type { Secret, Suite } from '@symmetra/crypto';
import { PROTOCOL_VERSION } from '../context.js';
import type { ProtocolContext } from '../context.js';
import { ReplayWindow } from './window.js';

const DEVICE_TO_NODE = 0;
const NODE_TO_DEVICE = 1;

/** A sealed message: its number in its direction, and the ciphertext. */
export interface SealedMessage {
  readonly seq: number;
  readonly ciphertext: Uint8Array;
}

/** What an end of a session is made of; the session takes ownership of the keys. */
export interface SessionEndOptions {
  readonly end: 'device' | 'node';
  readonly suite: Suite;
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  readonly sendKey: Secret<'DirectionKey'>;
  readonly receiveKey: Secret<'DirectionKey'>;
  /** Messages that each direction may carry. */
  readonly maxMessages: number;
}

/**
 * SES-5: one end of an open session: seals what it sends, opens what it receives. Its state is two counters and a
 * replay window, which live and die with the process. The AEAD nonce is 4 zero bytes and the sequence number;
 * associated data binds version, suite, network, session, direction, method, sequence number and, in a reply, the
 * request's sequence number.
 */
export class SessionEnd {
  readonly sessionId: Uint8Array;
  readonly #suite: Suite;
  readonly #sendKey: Secret<'DirectionKey'>;
  readonly #receiveKey: Secret<'DirectionKey'>;
  readonly #sendPrefix: Uint8Array;
  readonly #receivePrefix: Uint8Array;
  readonly #maxMessages: number;
  readonly #window = new ReplayWindow();
  #nextSeq = 0;

  constructor(context: ProtocolContext, options: SessionEndOptions) {
    this.sessionId = options.sessionId;
    this.#suite = options.suite;
    this.#sendKey = options.sendKey;
    this.#receiveKey = options.receiveKey;
    this.#maxMessages = options.maxMessages;
    const prefix = (direction: number): Uint8Array =>
      new Writer()
        .u8(PROTOCOL_VERSION)
        .u8(options.suite.id)
        .raw(context.networkId)
        .raw(options.sessionId)
        .u8(direction)
        .finish();
    const own = options.end === 'device' ? DEVICE_TO_NODE : NODE_TO_DEVICE;
    this.#sendPrefix = prefix(own);
    this.#receivePrefix = prefix(1 - own);
  }

  /** Messages that this end may still send. */
  get remaining(): number {
    return this.#maxMessages - this.#nextSeq;
  }

  /**
   * Seals a message. `inReplyTo` is the request's sequence number, for replies.
   * @throws SESSION_EXHAUSTED when the direction has carried all its messages; SECRET_WIPED after `wipe`
   */
  seal(method: string, plaintext: Uint8Array, inReplyTo?: number): SealedMessage {
    const seq = this.#nextSeq;
    if (seq >= this.#maxMessages) {
      throw new SymmetraError('SESSION_EXHAUSTED', 'the session has carried all its messages; open another');
    }
    this.#nextSeq = seq + 1;
    const aad = associatedData(this.#sendPrefix, method, seq, inReplyTo);
    return { seq, ciphertext: this.#suite.seal(this.#sendKey.bytes, nonceOf(seq), aad, plaintext) };
  }

  /**
   * Opens a message; each sequence number once.
   * @throws AUTHENTICATION_FAILED, MESSAGE_REPLAYED, SESSION_EXHAUSTED; SECRET_WIPED after `wipe`
   */
  open(method: string, message: SealedMessage, inReplyTo?: number): Uint8Array {
    const { seq, ciphertext } = message;
    if (!Number.isSafeInteger(seq) || seq < 0) {
      throw new AuthenticationError('the sealed message has no valid number');
    }
    if (seq >= this.#maxMessages) {
      throw new SymmetraError('SESSION_EXHAUSTED', 'the session has carried all its messages; open another');
    }
    if (!this.#window.accepts(seq)) {
      throw new SymmetraError('MESSAGE_REPLAYED', 'the sealed message was received before', { seq });
    }
    const aad = associatedData(this.#receivePrefix, method, seq, inReplyTo);
    const plaintext = this.#suite.open(this.#receiveKey.bytes, nonceOf(seq), aad, ciphertext);
    this.#window.mark(seq);
    return plaintext;
  }

  /** Erases the keys; the session is over. */
  wipe(): void {
    this.#sendKey.wipe();
    this.#receiveKey.wipe();
  }
}

function associatedData(
  prefix: Uint8Array,
  method: string,
  seq: number,
  inReplyTo: number | undefined,
): Uint8Array {
  const length = prefix.length + 2 + method.length + 8 + (inReplyTo === undefined ? 1 : 9);
  const writer = new Writer(length).raw(prefix).text(method).u64(seq);
  return (inReplyTo === undefined ? writer.u8(0) : writer.u8(1).u64(inReplyTo)).finish();
}

function nonceOf(seq: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, Math.floor(seq / 0x1_0000_0000));
  view.setUint32(8, seq >>> 0);
  return nonce;
}
