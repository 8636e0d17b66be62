import { Reader, SymmetraError, Writer } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { decode, encode, isSealedMethod } from '@symmetra/rpc';
import type { Message, MessageInput, SealedMethod } from '@symmetra/rpc';
import { linkNotBound } from '../link/link-not-bound.js';
import { sessionLost } from '../presence/session-table.js';
import type { Siblings } from '../replicas/siblings.js';
import type { SealedCalls } from '../session/sealed-calls.js';
import type { CallPath } from '../session/sealed-handler.js';

const SUBJECT = 'call';
const SEALED = 'symmetra.sealed.v1.Sealed';
const MAX_TEXT_BYTES = 255;

export interface SiblingCallsParts {
  readonly bus: Bus;
  readonly siblings: Siblings;
  readonly sealed: SealedCalls;
  /** Told of each device that has its link here, and its session at another process. */
  readonly onLinked: (deviceHex: string) => void;
}

/** Sealed calls that came to one process of a node, and whose session another one has (SES-5). */
export class SiblingCalls {
  readonly #parts: SiblingCallsParts;

  constructor(parts: SiblingCallsParts) {
    this.#parts = parts;
    parts.bus.serve(SUBJECT, async (from, payload) => this.#answer(from, payload));
  }

  /** Whether a session may be at another process of this node: whoever made its id up costs nothing. */
  has(instance: string): boolean {
    return this.#parts.siblings.others.includes(instance);
  }

  /** @throws SESSION_LOST when the process is gone, and what {@link SealedCalls.answer} throws */
  async call(
    instance: string,
    method: SealedMethod,
    request: Message<typeof SEALED>,
    path: CallPath | undefined,
  ): Promise<MessageInput<typeof SEALED>> {
    const payload = new Writer()
      .text(method)
      .text(path?.instance ?? '')
      .bytes(encode(SEALED, request))
      .finish();
    try {
      const reader = new Reader(await this.#parts.siblings.request(instance, SUBJECT, payload), 'call');
      const deviceHex = reader.text(MAX_TEXT_BYTES);
      const binds = reader.u8() === 1;
      const reply = decode(SEALED, reader.bytes());
      reader.end();
      if (path?.accepts(deviceHex) === false) throw linkNotBound();
      if (binds && path !== undefined) {
        path.bind(deviceHex);
        this.#parts.onLinked(deviceHex);
      }
      return reply;
    } catch (error) {
      if (error instanceof SymmetraError && error.code === 'INSTANCE_GONE') throw sessionLost();
      throw error;
    }
  }

  /** @throws WRONG_NODE, METHOD_NOT_ALLOWED, BAD_ENCODING, and what {@link SealedCalls.answer} throws */
  async #answer(from: string, payload: Uint8Array): Promise<Uint8Array> {
    const { bus, sealed } = this.#parts;
    if (from !== bus.self) {
      throw new SymmetraError('WRONG_NODE', 'only a process of the same node hands on calls of its links');
    }
    const reader = new Reader(payload, 'call');
    const method = reader.text(MAX_TEXT_BYTES);
    const instance = reader.text(MAX_TEXT_BYTES);
    const request = decode(SEALED, reader.bytes());
    reader.end();
    if (!isSealedMethod(method)) throw new SymmetraError('METHOD_NOT_ALLOWED', 'there is no such method');
    const path = instance === '' ? undefined : new DistantLink(instance);
    const reply = await sealed.answer(method, request, path);
    return new Writer()
      .text(path?.deviceHex ?? '')
      .u8(path?.isBound === true ? 1 : 0)
      .bytes(encode(SEALED, reply))
      .finish();
  }
}

/** A link at another process of this node, which checks itself whose the link is. */
class DistantLink implements CallPath {
  readonly instance: string;
  deviceHex = '';
  isBound = false;

  constructor(instance: string) {
    this.instance = instance;
  }

  accepts(deviceHex: string): boolean {
    this.deviceHex = deviceHex;
    return true;
  }

  bind(): void {
    this.isBound = true;
  }
}
