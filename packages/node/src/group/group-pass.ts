import { SymmetraError, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH } from '@symmetra/protocol';
import { decode, encodeBroadcast, encodeGroupMessage } from '@symmetra/rpc';
import type { MessageInput } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import { hexOf } from '../rows/row-keys.js';
import type { Audience } from './audience.js';

const PASS_SUBJECT = 'group-pass';
const PASS_TIMEOUT_MS = 5000;
/** GRP-12. */
const MAX_MESSAGE_BYTES = 4096;
const DONE = new Uint8Array(0);

/** First byte of what one node has another pass on; a group id or a device id follows, then a frame for links. */
const TO_GROUP = 1;
const TO_DEVICE = 2;

type Broadcast = MessageInput<'symmetra.group.v1.Broadcast'>;

export interface GroupPassParts {
  readonly bus: Bus;
  readonly logger: Logger;
  /** The other nodes. */
  readonly peers: readonly string[];
  readonly audience: Audience;
}

/**
 * Passes what goes to all members of a group on, as it is, to those that are at home here and, through the other nodes,
 * to the rest (GRP-7, GRP-10, GRP-12). Nothing is repeated: a welcome makes up for a broadcast that was lost.
 */
export class GroupPass {
  readonly #parts: GroupPassParts;

  constructor(parts: GroupPassParts) {
    this.#parts = parts;
    parts.bus.serve(PASS_SUBJECT, async (_from, payload) => this.#receive(payload));
  }

  /** To every member. */
  broadcast(groupHex: string, broadcast: Broadcast): void {
    const frame = encodeBroadcast(broadcast);
    this.#toPeers(groupHex, frame);
    this.#parts.audience.send(groupHex, frame);
  }

  /** To one member, at its home. */
  broadcastTo(deviceHex: string, home: string, broadcast: Broadcast): void {
    const { bus, audience } = this.#parts;
    const frame = encodeBroadcast(broadcast);
    if (home === bus.self) audience.sendTo(deviceHex, frame);
    else void this.#toPeer(home, payloadOf(TO_DEVICE, deviceHex, frame));
  }

  /** GRP-12: a message to every member but its sender. @returns how many links of this node took it */
  message(groupHex: string, message: Uint8Array, senderHex: string): number {
    const frame = encodeGroupMessage(message);
    this.#toPeers(groupHex, frame);
    return this.#parts.audience.send(groupHex, frame, senderHex);
  }

  #toPeers(groupHex: string, frame: Uint8Array): void {
    const payload = payloadOf(TO_GROUP, groupHex, frame);
    for (const peer of this.#parts.peers) void this.#toPeer(peer, payload);
  }

  async #toPeer(peer: string, payload: Uint8Array): Promise<void> {
    const { bus, logger } = this.#parts;
    try {
      await bus.request(peer, PASS_SUBJECT, payload, { timeoutMs: PASS_TIMEOUT_MS });
    } catch (error) {
      logger.debug({ peer, err: error }, 'What goes to the members of a group did not reach a node.');
    }
  }

  #receive(payload: Uint8Array): Uint8Array {
    const { audience } = this.#parts;
    const [kind] = payload;
    const idEnd = 1 + (kind === TO_DEVICE ? DEVICE_ID_LENGTH : SHORT_ID_LENGTH);
    const idHex = hexOf(payload.subarray(1, idEnd));
    const frame = payload.subarray(idEnd);
    checkFrame(frame);
    if (kind === TO_GROUP) audience.send(idHex, frame);
    else if (kind === TO_DEVICE) audience.sendTo(idHex, frame);
    else throw new SymmetraError('BAD_MESSAGE', 'a node passes on nothing of this kind');
    return DONE;
  }
}

/** A node has another pass on one broadcast or one message, and nothing that speaks for that node. @throws BAD_MESSAGE */
function checkFrame(frame: Uint8Array): void {
  const { replies, events, broadcasts, groupMessages } = decode('symmetra.link.v1.ConnectResponse', frame);
  if (replies.length + events.length > 0 || broadcasts.length + groupMessages.length !== 1) {
    throw new SymmetraError('BAD_MESSAGE', 'a node passes on one broadcast or one message at a time');
  }
  for (const message of groupMessages) checkMessage(message);
}

/** GRP-12. @throws BAD_MESSAGE */
export function checkMessage(message: Uint8Array): void {
  if (message.length <= MAX_MESSAGE_BYTES) return;
  throw new SymmetraError('BAD_MESSAGE', 'a group message has at most 4096 bytes');
}

function payloadOf(kind: number, idHex: string, frame: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(kind), Buffer.from(idHex, 'hex'), frame);
}
