import { Reader, SymmetraError, Writer, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH } from '@symmetra/protocol';
import { decode, encodeBroadcast, encodeGroupMessage } from '@symmetra/rpc';
import type { MessageInput } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { Presences } from '../presence/presences.js';
import type { Siblings } from '../replicas/siblings.js';
import { hexOf } from '../rows/row-keys.js';
import type { Audience } from './audience.js';

const PASS_SUBJECT = 'group-pass';
const PASS_TIMEOUT_MS = 5000;
/** GRP-12. */
const MAX_MESSAGE_BYTES = 4096;

/** First byte of what one node has another pass on; a group id or a device id follows, then a frame for links. */
const TO_GROUP = 1;
const TO_DEVICE = 2;
/** Between the processes of one node: a device id follows the group id, whose device is left out. */
const TO_OTHERS = 3;

type Broadcast = MessageInput<'symmetra.group.v1.Broadcast'>;

export interface GroupPassParts {
  readonly bus: Bus;
  readonly logger: Logger;
  /** The other nodes. */
  readonly peers: readonly string[];
  readonly audience: Audience;
  readonly presences: Presences;
  readonly siblings: Siblings;
}

/**
 * Passes what goes to all members of a group on, as it is, to those that are at home here and, through the other nodes,
 * to the rest (GRP-7, GRP-10, GRP-12). Nothing is repeated: a welcome makes up for a broadcast that was lost.
 */
export class GroupPass {
  readonly #parts: GroupPassParts;

  constructor(parts: GroupPassParts) {
    this.#parts = parts;
    parts.bus.serve(PASS_SUBJECT, async (from, payload) => this.#receive(from, payload));
  }

  /** To every member. */
  broadcast(groupHex: string, broadcast: Broadcast): void {
    const frame = encodeBroadcast(broadcast);
    const payload = this.#toPeers(groupHex, frame);
    this.#parts.audience.send(groupHex, frame);
    void this.#toSiblings(payload);
  }

  /** To one member, at its home. */
  broadcastTo(deviceHex: string, home: string, broadcast: Broadcast): void {
    const frame = encodeBroadcast(broadcast);
    const payload = payloadOf(TO_DEVICE, deviceHex, frame);
    if (home === this.#parts.bus.self) void this.#toDevice(deviceHex, frame, payload);
    else void this.#toPeer(home, payload);
  }

  /** GRP-12: a message to every member but its sender. @returns how many links of this node took it */
  async message(groupHex: string, message: Uint8Array, senderHex: string): Promise<number> {
    const frame = encodeGroupMessage(message);
    this.#toPeers(groupHex, frame);
    const taken = this.#parts.audience.send(groupHex, frame, senderHex);
    const payload = concat(payloadOf(TO_OTHERS, groupHex, Buffer.from(senderHex, 'hex')), frame);
    return taken + (await this.#toSiblings(payload));
  }

  #toPeers(groupHex: string, frame: Uint8Array): Uint8Array {
    const payload = payloadOf(TO_GROUP, groupHex, frame);
    for (const peer of this.#parts.peers) void this.#toPeer(peer, payload);
    return payload;
  }

  /** @returns how many links of the other processes of this node took it */
  async #toSiblings(payload: Uint8Array): Promise<number> {
    const { siblings } = this.#parts;
    if (siblings.others.length === 0) return 0;
    const answers = await siblings.tell(PASS_SUBJECT, payload);
    return answers.reduce((sum, answer) => sum + new Reader(answer, 'links').u32(), 0);
  }

  /** To a device that is at home here, through the process that has its link. */
  async #toDevice(deviceHex: string, frame: Uint8Array, payload: Uint8Array): Promise<void> {
    const { bus, audience, logger, presences, siblings } = this.#parts;
    if (audience.sendTo(deviceHex, frame) || !siblings.isShared) return;
    try {
      const linkAt = (await presences.find(deviceHex))?.linkAt;
      if (linkAt === undefined || linkAt === bus.instance) return;
      await siblings.request(linkAt, PASS_SUBJECT, payload);
    } catch (error) {
      logger.debug({ err: error }, 'What goes to a member of a group did not reach its link.');
    }
  }

  async #toPeer(peer: string, payload: Uint8Array): Promise<void> {
    const { bus, logger } = this.#parts;
    try {
      await bus.request(peer, PASS_SUBJECT, payload, { timeoutMs: PASS_TIMEOUT_MS });
    } catch (error) {
      logger.debug({ peer, err: error }, 'What goes to the members of a group did not reach a node.');
    }
  }

  async #receive(from: string, payload: Uint8Array): Promise<Uint8Array> {
    const { bus, audience } = this.#parts;
    const [kind] = payload;
    const isOwn = from === bus.self;
    const idEnd = 1 + (kind === TO_DEVICE ? DEVICE_ID_LENGTH : SHORT_ID_LENGTH);
    const idHex = hexOf(payload.subarray(1, idEnd));
    const frameAt = kind === TO_OTHERS ? idEnd + DEVICE_ID_LENGTH : idEnd;
    const frame = payload.subarray(frameAt);
    checkFrame(frame);
    if (kind === TO_OTHERS && isOwn) {
      return links(audience.send(idHex, frame, hexOf(payload.subarray(idEnd, frameAt))));
    }
    if (kind === TO_GROUP) {
      const taken = audience.send(idHex, frame);
      if (!isOwn) void this.#toSiblings(payload);
      return links(taken);
    }
    if (kind !== TO_DEVICE) throw new SymmetraError('BAD_MESSAGE', 'a node passes on nothing of this kind');
    if (isOwn) return links(audience.sendTo(idHex, frame) ? 1 : 0);
    await this.#toDevice(idHex, frame, payload);
    return links(0);
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

function links(count: number): Uint8Array {
  return new Writer().u32(count).finish();
}

function payloadOf(kind: number, idHex: string, frame: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(kind), Buffer.from(idHex, 'hex'), frame);
}
