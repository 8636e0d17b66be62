import type { ServerDuplexStream } from '@grpc/grpc-js';
import { SymmetraError } from '@symmetra/crypto';
import type { Admission } from './admission.js';
import type { AuditHook } from './audit.js';
import type { RpcClock, RpcTimer } from './clock.js';
import { asBuffer, decode, encode } from './codec.js';
import type { Message, MessageInput } from './codec.js';
import { publicCode, toStatus } from './errors.js';
import type { RpcLogger } from './logger.js';
import { MAX_FRAME_BYTES } from './methods.js';
import { Outbox } from './outbox.js';
import { addressKey } from './peer-address.js';

const MAX_ITEMS_PER_FRAME = 256;
const MAX_WRITING_BYTES = 256 * 1024;

/** What is sent to a device on its link. The reply's id is the call's. */
export type LinkReply = MessageInput<'symmetra.link.v1.Reply'> & { readonly id: number };

/** What is sent to a device on its link without being asked. */
export type LinkEvent = MessageInput<'symmetra.link.v1.Event'>;

/** What a node signed for all members of a group, as a frame for their links (GRP-7, GRP-10). */
export function encodeBroadcast(broadcast: MessageInput<'symmetra.group.v1.Broadcast'>): Uint8Array {
  return encode('symmetra.link.v1.ConnectResponse', { broadcasts: [broadcast] });
}

/** A message of a member, as a frame for the links of the others (GRP-12). */
export function encodeGroupMessage(message: Uint8Array): Uint8Array {
  return encode('symmetra.link.v1.ConnectResponse', { groupMessages: [message] });
}

/** The node's end of a device's link. */
export interface LinkStream {
  /** The device's address:port. Nothing proves it. */
  readonly peer: string;
  /** Takes frames that hold at least one call; each call has passed the method table and the rates. */
  onFrame(listener: (frame: Message<'symmetra.link.v1.ConnectRequest'>) => void): void;
  /** Called once. The reason is undefined when either side ended the link in order. */
  onClose(listener: (reason: SymmetraError | undefined) => void): void;
  /**
   * False when the link is closed. A device that does not read gets its link closed with LINK_OVERFLOW.
   * @throws SymmetraError MESSAGE_TOO_LARGE when the reply does not fit a frame.
   */
  sendReply(reply: LinkReply): boolean;
  /** As {@link LinkStream.sendReply}. */
  sendEvent(event: LinkEvent): boolean;
  /**
   * As {@link LinkStream.sendEvent}, for what goes to many links as it is: {@link encodeBroadcast} and
   * {@link encodeGroupMessage} make its bytes, once. They must not change afterwards.
   */
  sendEncoded(frame: Uint8Array): boolean;
  /** Without a code, what was sent before is delivered first. Doing it again has no effect. */
  close(code?: string, message?: string): void;
}

/** Bounds of one link. */
export interface LinkBounds {
  /** Bytes that may wait for a device that does not read. */
  readonly maxPendingBytes: number;
  /** Calls without a reply, after which the node reads no further. */
  readonly maxCallsInFlight: number;
  /** Milliseconds until the first frame must have come. */
  readonly firstFrameMs: number;
  /** Milliseconds that a closed stream may take to end before its connection is cut. */
  readonly closeGraceMs: number;
}

/** What a link needs of its server. */
export interface LinkSurroundings {
  readonly admission: Admission;
  readonly clock: RpcClock;
  readonly logger: RpcLogger;
  readonly onAudited: AuditHook;
  readonly bounds: LinkBounds;
  /** Ends the peer's connection at once. */
  readonly cutConnection: (peer: string) => void;
}

type Item = MessageInput<'symmetra.link.v1.ConnectResponse'>;
type Call = Message<'symmetra.link.v1.Call'>;

/** {@link LinkStream} over a gRPC stream of raw frames. */
export class GrpcLinkStream implements LinkStream {
  readonly peer: string;
  readonly #address: string;
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #around: LinkSurroundings;
  readonly #outbox: Outbox<Item>;
  /** Calls without a reply: id and, when the method is audited, its name. */
  readonly #inFlight = new Map<number, string | undefined>();
  readonly #closeListeners: ((reason: SymmetraError | undefined) => void)[] = [];
  #frameListener: ((frame: Message<'symmetra.link.v1.ConnectRequest'>) => void) | undefined;
  #firstFrameTimer: RpcTimer | undefined;
  #closed = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, around: LinkSurroundings) {
    this.peer = call.getPeer();
    this.#address = addressKey(this.peer);
    this.#call = call;
    this.#around = around;
    this.#outbox = new Outbox({
      encode: (item) => encode('symmetra.link.v1.ConnectResponse', item),
      write: (frame, taken) => call.write(asBuffer(frame), taken),
      maxItemsPerFrame: MAX_ITEMS_PER_FRAME,
      maxFrameBytes: MAX_FRAME_BYTES,
      maxWritingBytes: MAX_WRITING_BYTES,
      maxPendingBytes: around.bounds.maxPendingBytes,
    });
  }

  /** Begins to read. The listeners are registered by now. */
  start(): void {
    const { clock, bounds } = this.#around;
    this.#firstFrameTimer = clock.setTimer(bounds.firstFrameMs, () => {
      this.close('LINK_IDLE', 'the link was opened and not used');
    });
    this.#call.on('data', (bytes: Buffer) => this.#receive(bytes));
    // A connection that breaks ends the stream as well, and says so only afterwards.
    this.#call.on('end', () => setImmediate(() => this.close()));
    this.#call.on('close', () => {
      this.#closeWith(new SymmetraError('TRANSPORT_FAILED', 'the device went away'));
    });
  }

  onFrame(listener: (frame: Message<'symmetra.link.v1.ConnectRequest'>) => void): void {
    this.#frameListener = listener;
  }

  onClose(listener: (reason: SymmetraError | undefined) => void): void {
    this.#closeListeners.push(listener);
  }

  sendReply(reply: LinkReply): boolean {
    const taken = this.#send({ replies: [reply] });
    this.#settle(reply.id, reply.transportError ?? 'OK');
    return taken;
  }

  sendEvent(event: LinkEvent): boolean {
    return this.#send({ events: [event] });
  }

  sendEncoded(frame: Uint8Array): boolean {
    return this.#took(this.#outbox.pushEncoded(frame));
  }

  close(code?: string, message = 'the node closed the link'): void {
    this.#closeWith(code === undefined ? undefined : new SymmetraError(code, message));
  }

  #send(item: Item): boolean {
    return this.#took(this.#outbox.push(item));
  }

  #took(taken: boolean): boolean {
    if (!taken) this.close('LINK_OVERFLOW', 'the device does not read what it is sent');
    return taken;
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    this.#firstFrameTimer?.cancel();
    try {
      if (bytes.length > MAX_FRAME_BYTES) {
        throw new SymmetraError('MESSAGE_TOO_LARGE', 'a frame is longer than frames of a link are');
      }
      const frame = decode('symmetra.link.v1.ConnectRequest', bytes);
      if (frame.calls.length === 0) throw new SymmetraError('BAD_MESSAGE', 'a frame without calls');
      const calls = frame.calls.filter((call) => this.#admit(call));
      if (calls.length > 0 && !this.#closed) this.#frameListener?.({ calls });
      if (this.#inFlight.size >= this.#around.bounds.maxCallsInFlight) this.#call.pause();
    } catch (error) {
      if (publicCode(error) === 'INTERNAL') {
        this.#around.logger.error({ peer: this.peer, err: error }, 'A link failed.');
      }
      this.#closeWith(
        error instanceof SymmetraError ? error : new SymmetraError('INTERNAL', 'the link failed'),
      );
    }
  }

  /** False when the call was refused and the device told so. Broken framing throws. */
  #admit(call: Call): boolean {
    if (!Number.isSafeInteger(call.id) || this.#inFlight.has(call.id)) {
      throw new SymmetraError('BAD_MESSAGE', 'the id of a call is in use or out of range');
    }
    const { admission } = this.#around;
    try {
      if (call.sealed === null) throw new SymmetraError('BAD_MESSAGE', 'a call without a message');
      const { session, ciphertext, node } = call.sealed;
      const policy = admission.admit(
        call.method,
        session.length + ciphertext.length + node.length,
        this.#address,
      );
      if (policy.kind !== 'sealed') throw new SymmetraError('METHOD_NOT_ALLOWED', 'not a sealed method');
      admission.admitSubject(policy, call.method, session, this.#address);
      this.#inFlight.set(call.id, policy.audited ? call.method : undefined);
      return true;
    } catch (error) {
      this.sendReply({ id: call.id, transportError: publicCode(error) });
      return false;
    }
  }

  #settle(id: number, code: string): void {
    const audited = this.#inFlight.get(id);
    if (!this.#inFlight.delete(id)) return;
    if (audited !== undefined) this.#around.onAudited({ method: audited, peer: this.peer, code });
    const mayRead = this.#inFlight.size < this.#around.bounds.maxCallsInFlight / 2;
    if (mayRead && !this.#closed && this.#call.isPaused()) this.#call.resume();
  }

  #closeWith(reason: SymmetraError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#firstFrameTimer?.cancel();
    if (reason === undefined) {
      this.#outbox.finish();
      this.#call.end();
    } else {
      this.#outbox.discard();
      this.#call.emit('error', toStatus(reason));
    }
    this.#cutWhenStuck();
    for (const listener of this.#closeListeners) listener(reason);
  }

  /** gRPC sends a status behind all data; a peer that reads nothing would keep the stream for ever. */
  #cutWhenStuck(): void {
    if (this.#call.closed) return;
    const { clock, bounds, cutConnection } = this.#around;
    const timer = clock.setTimer(bounds.closeGraceMs, () => cutConnection(this.peer));
    this.#call.once('close', () => timer.cancel());
  }
}
