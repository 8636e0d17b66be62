import { SymmetraError, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH } from '@symmetra/protocol';
import { decode, encode, encodeBroadcast, encodeGroupMessage } from '@symmetra/rpc';
import type { MessageInput } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import { hexOf } from '../rows/row-keys.js';
import type { Audience } from './audience.js';

const PASS_SUBJECT = 'group-pass';
const PASS_TIMEOUT_MS = 5000;
/** GRP-12. */
const MAX_MESSAGE_BYTES = 4096;
const DONE = new Uint8Array(0);

/** First byte of what one node has another pass on; a group id or a device id follows, then the thing itself. */
const BROADCAST = 1;
const MESSAGE = 2;
const TO_DEVICE = 3;

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
    this.#parts.audience.send(groupHex, encodeBroadcast(broadcast));
    this.#toPeers(BROADCAST, groupHex, encode('symmetra.group.v1.Broadcast', broadcast));
  }

  /** To one member, at its home. */
  broadcastTo(deviceHex: string, home: string, broadcast: Broadcast): void {
    const { bus, audience } = this.#parts;
    if (home === bus.self) audience.sendTo(deviceHex, encodeBroadcast(broadcast));
    else {
      const content = encode('symmetra.group.v1.Broadcast', broadcast);
      void this.#toPeer(home, payloadOf(TO_DEVICE, deviceHex, content));
    }
  }

  /** GRP-12: a message to every member but its sender. @returns how many links of this node took it */
  message(groupHex: string, message: Uint8Array, senderHex: string): number {
    this.#toPeers(MESSAGE, groupHex, message);
    return this.#parts.audience.send(groupHex, encodeGroupMessage(message), senderHex);
  }

  #toPeers(kind: number, groupHex: string, content: Uint8Array): void {
    const payload = payloadOf(kind, groupHex, content);
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
    const content = payload.subarray(idEnd);
    switch (kind) {
      case BROADCAST:
        audience.send(idHex, encodeBroadcast(decode('symmetra.group.v1.Broadcast', content)));
        return DONE;
      case MESSAGE:
        checkMessage(content);
        audience.send(idHex, encodeGroupMessage(content));
        return DONE;
      case TO_DEVICE:
        audience.sendTo(idHex, encodeBroadcast(decode('symmetra.group.v1.Broadcast', content)));
        return DONE;
      default:
        throw new SymmetraError('BAD_MESSAGE', 'a node passes on nothing of this kind');
    }
  }
}

/** GRP-12. @throws BAD_MESSAGE */
export function checkMessage(message: Uint8Array): void {
  if (message.length <= MAX_MESSAGE_BYTES) return;
  throw new SymmetraError('BAD_MESSAGE', 'a group message has at most 4096 bytes');
}

function payloadOf(kind: number, idHex: string, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(kind), Buffer.from(idHex, 'hex'), content);
}
