import { SymmetraError } from '@symmetra/crypto';
import { MAX_PAYLOAD_BYTES } from '../bus.js';
import type { BusHandler } from '../bus.js';
import { encodeFailure, encodeReply } from '../outcome.js';

/** What this node answers, by subject. */
export class Handlers {
  readonly #self: string;
  readonly #onFailure: ((subject: string, error: unknown) => void) | undefined;
  readonly #handlers = new Map<string, BusHandler>();

  constructor(self: string, onFailure: ((subject: string, error: unknown) => void) | undefined) {
    this.#self = self;
    this.#onFailure = onFailure;
  }

  /** @throws SUBJECT_TAKEN */
  serve(subject: string, handler: BusHandler): void {
    if (this.#handlers.has(subject)) {
      throw new SymmetraError('SUBJECT_TAKEN', 'the subject has a handler already', { subject });
    }
    this.#handlers.set(subject, handler);
  }

  /** Has the subject's handler answer, and hands over the outcome; never throws. */
  answer(from: string, subject: string, payload: Uint8Array, reply: (outcome: Uint8Array) => void): void {
    const handler = this.#handlers.get(subject);
    if (handler === undefined) {
      const details = { node: this.#self, subject };
      reply(encodeFailure(new SymmetraError('NO_HANDLER', 'the node does not serve the subject', details)));
      return;
    }
    const failed = (error: unknown): void => {
      if (!(error instanceof SymmetraError)) this.#onFailure?.(subject, error);
      reply(encodeFailure(error));
    };
    let answered: Promise<Uint8Array>;
    try {
      answered = handler(from, payload);
    } catch (error) {
      failed(error);
      return;
    }
    answered.then((result) => reply(outcomeOf(result)), failed);
  }
}

/** @throws MESSAGE_TOO_LARGE */
export function checkPayload(payload: Uint8Array): void {
  if (payload.length > MAX_PAYLOAD_BYTES) throw tooLarge(payload);
}

function outcomeOf(reply: Uint8Array): Uint8Array {
  return reply.length > MAX_PAYLOAD_BYTES ? encodeFailure(tooLarge(reply)) : encodeReply(reply);
}

function tooLarge(payload: Uint8Array): SymmetraError {
  return new SymmetraError('MESSAGE_TOO_LARGE', 'the payload is longer than the bus carries', {
    bytes: payload.length,
    maxBytes: MAX_PAYLOAD_BYTES,
  });
}
