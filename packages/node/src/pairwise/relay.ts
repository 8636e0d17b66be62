import { SymmetraError, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { DeviceRegistry } from '../devices/device-registry.js';
import type { EventSender } from '../presence/event-sender.js';
import type { Presences } from '../presence/presences.js';
import type { Session } from '../presence/session-table.js';
import { hexOf } from '../rows/row-keys.js';
import type { SealedOutcome } from '../session/sealed-handler.js';

const DELIVER_SUBJECT = 'deliver';
const DELIVER_TIMEOUT_MS = 5000;
/** The longest pair message is a response with the largest KEM ciphertext. */
const MAX_MESSAGE_BYTES = 4096;
const HANDED_OVER = Uint8Array.of(1);
const NOT_ATTACHED = Uint8Array.of(0);

export interface RelayParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly devices: DeviceRegistry;
  readonly presences: Presences;
  readonly events: EventSender;
}

/** PAIR-10: carries messages between two devices through their home nodes. They authenticate themselves. */
export class Relay {
  readonly #parts: RelayParts;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    parts.bus.serve(DELIVER_SUBJECT, async (_from, payload) => this.#receive(payload));
  }

  /** @throws NOT_HOME, BAD_MESSAGE, PEER_UNKNOWN, PEER_REVOKED, DEVICE_REVOKED */
  async answer(session: Session, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { bus, presences } = this.#parts;
    const { peer, message } = decode('symmetra.pairwise.v1.RelayRequest', plaintext);
    if (presences.here(session.deviceHex)?.home !== bus.self) {
      throw new SymmetraError('NOT_HOME', 'messages to peers go through the home node of the sender');
    }
    if (peer.length !== DEVICE_ID_LENGTH || message.length === 0 || message.length > MAX_MESSAGE_BYTES) {
      throw new SymmetraError(
        'BAD_MESSAGE',
        'a relayed message names its receiver and has at most 4096 bytes',
      );
    }
    const peerHex = hexOf(peer);
    await this.#checkPair(session.deviceHex, peerHex);
    const home = (await presences.find(peerHex))?.home;
    const handedOver =
      home === bus.self
        ? await this.#handOver(session.deviceId, peerHex, message)
        : home !== undefined && (await this.#carry(home, session.deviceId, peer, message));
    return { reply: encode('symmetra.pairwise.v1.RelayResponse', { handedOver }) };
  }

  async #checkPair(senderHex: string, receiverHex: string): Promise<void> {
    const { devices } = this.#parts;
    const sender = devices.cachedStanding(senderHex) ?? (await devices.standing(senderHex));
    const receiver = devices.cachedStanding(receiverHex) ?? (await devices.standing(receiverHex));
    if (sender?.revoked !== false) throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
    if (receiver === undefined) {
      throw new SymmetraError('PEER_UNKNOWN', 'the peer is not enrolled at this node');
    }
    if (receiver.revoked) throw new SymmetraError('PEER_REVOKED', 'the peer is revoked');
  }

  #handOver(sender: Uint8Array, receiverHex: string, message: Uint8Array): boolean | Promise<boolean> {
    return this.#parts.events.send(receiverHex, { message: { peer: sender, message } });
  }

  async #carry(
    home: string,
    sender: Uint8Array,
    receiver: Uint8Array,
    message: Uint8Array,
  ): Promise<boolean> {
    const { bus, logger } = this.#parts;
    try {
      const payload = concat(sender, receiver, message);
      const [answer] = await bus.request(home, DELIVER_SUBJECT, payload, { timeoutMs: DELIVER_TIMEOUT_MS });
      return answer === 1;
    } catch (error) {
      logger.debug({ home, err: error }, 'A message did not reach the home node of its receiver.');
      return false;
    }
  }

  /** As home node of the receiver. */
  async #receive(payload: Uint8Array): Promise<Uint8Array> {
    const sender = payload.subarray(0, DEVICE_ID_LENGTH);
    const receiverHex = hexOf(payload.subarray(DEVICE_ID_LENGTH, 2 * DEVICE_ID_LENGTH));
    const message = payload.subarray(2 * DEVICE_ID_LENGTH);
    if (message.length === 0 || message.length > MAX_MESSAGE_BYTES) {
      throw new SymmetraError('BAD_MESSAGE', 'a message between devices has at most 4096 bytes');
    }
    const where = await this.#parts.presences.find(receiverHex);
    if (where?.home !== this.#parts.bus.self) return NOT_ATTACHED;
    await this.#checkPair(hexOf(sender), receiverHex);
    return (await this.#handOver(sender, receiverHex, message)) ? HANDED_OVER : NOT_ATTACHED;
  }
}
