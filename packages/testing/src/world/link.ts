import { SymmetraError } from '@symmetra/crypto';
import { decode, encode } from '@symmetra/rpc';
import type {
  LinkCall,
  LinkEvent,
  LinkReply,
  LinkStream,
  Message,
  MessageInput,
  NodeLink,
} from '@symmetra/rpc';
import type { Caller, Lines, OpenDoor } from './lines.js';

const REQUEST = 'symmetra.link.v1.ConnectRequest';
const RESPONSE = 'symmetra.link.v1.ConnectResponse';

type CloseListener = (reason: SymmetraError | undefined) => void;

/** One end of a link: who listens there, and whether it is closed. */
class End<Frame> {
  closed = false;
  frameListener: ((frame: Frame) => void) | undefined;
  readonly #closeListeners: CloseListener[] = [];

  onClose(listener: CloseListener): void {
    this.#closeListeners.push(listener);
  }

  close(reason: SymmetraError | undefined): void {
    if (this.closed) return;
    this.closed = true;
    for (const listener of this.#closeListeners) listener(reason);
  }
}

/** A device's link over a simulated line: frames arrive in order, until the line breaks. */
export class SimulatedLink {
  readonly client: NodeLink;
  readonly #lines: Lines;
  readonly #caller: Caller;
  readonly #address: string;
  readonly #device = new End<Message<typeof RESPONSE>>();
  readonly #node = new End<Message<typeof REQUEST>>();
  /** When the last thing on its way arrives, by direction. */
  readonly #latest = { toNode: 0, toDevice: 0 };
  #door: OpenDoor | undefined;
  #broken = false;
  #forget: readonly (() => void)[] = [];

  constructor(lines: Lines, caller: Caller, address: string) {
    this.#lines = lines;
    this.#caller = caller;
    this.#address = address;
    this.client = {
      send: (call) => this.#sendCall(call),
      onFrame: (listener) => {
        this.#device.frameListener = listener;
      },
      onClose: (listener) => this.#device.onClose(listener),
      close: () => this.#leave(undefined),
      cancel: () => this.#leave(new SymmetraError('TRANSPORT_FAILED', 'the device went away')),
    };
    this.#travel('toNode', () => this.#arrive());
  }

  /** The line carries nothing any more; the ends learn of it sooner or later. */
  breakUp(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#lines.note('link-broken');
    const { timeline } = this.#lines;
    timeline.after(this.#lines.silence(), () => {
      this.#closeDevice(unreachable(this.#address));
    });
    timeline.after(this.#lines.silence(), () => this.#endNode(wentAway()));
    for (const forget of this.#forget) forget();
  }

  #arrive(): void {
    const door = this.#lines.listener(this.#address);
    if (door === undefined || this.#lines.isCut(this.#caller.name, door.node)) {
      this.#travel('toDevice', () => this.#closeDevice(unreachable(this.#address)));
      return;
    }
    this.#door = door;
    const broken = (): void => this.breakUp();
    this.#forget = [
      this.#lines.keep({ caller: this.#caller.name, node: door.node, breakUp: broken }),
      this.#caller.life.onEnd(broken),
      door.life.onEnd(broken),
    ];
    door.life.reach(() => door.handlers.link(this.#stream(door)));
  }

  #stream(door: OpenDoor): LinkStream {
    const send = (frame: Uint8Array): boolean => {
      if (this.#node.closed || !door.life.lasts) return false;
      this.#toDevice(frame);
      return true;
    };
    const sendItem = (item: MessageInput<typeof RESPONSE>): boolean => send(encode(RESPONSE, item));
    return {
      peer: this.#caller.name,
      onFrame: (listener) => {
        this.#node.frameListener = listener;
      },
      onClose: (listener) => this.#node.onClose(listener),
      sendReply: (reply: LinkReply) => sendItem({ replies: [reply] }),
      sendEvent: (event: LinkEvent) => sendItem({ events: [event] }),
      sendEncoded: send,
      close: (code, message = 'the node closed the link') => {
        const reason = code === undefined ? undefined : new SymmetraError(code, message);
        if (this.#node.closed || !door.life.lasts) return;
        this.#travel('toDevice', () => this.#closeDevice(reason));
        this.#endNode(reason);
      },
    };
  }

  #sendCall(call: LinkCall): boolean {
    if (this.#device.closed || !this.#caller.life.lasts) return false;
    const frame = encode(REQUEST, { calls: [call] });
    if (this.#lines.breaks()) this.breakUp();
    this.#travel('toNode', () => {
      this.#door?.life.reach(() => {
        if (!this.#node.closed) this.#node.frameListener?.(decode(REQUEST, frame));
      });
    });
    return true;
  }

  #toDevice(frame: Uint8Array): void {
    const bytes = frame.slice();
    if (this.#lines.breaks()) this.breakUp();
    this.#travel('toDevice', () => {
      this.#caller.life.reach(() => {
        if (!this.#device.closed) this.#device.frameListener?.(decode(RESPONSE, bytes));
      });
    });
  }

  #leave(reason: SymmetraError | undefined): void {
    if (this.#device.closed || !this.#caller.life.lasts) return;
    this.#travel('toNode', () => this.#endNode(reason));
    this.#device.close(undefined);
  }

  #endNode(reason: SymmetraError | undefined): void {
    this.#door?.life.reach(() => this.#node.close(reason));
  }

  #closeDevice(reason: SymmetraError | undefined): void {
    this.#caller.life.reach(() => this.#device.close(reason));
  }

  /** Has something happen at the other end, behind everything that was sent there before. */
  #travel(direction: 'toNode' | 'toDevice', happen: () => void): void {
    const { timeline } = this.#lines;
    const arrival = Math.max(this.#latest[direction], timeline.now + this.#lines.way());
    this.#latest[direction] = arrival;
    timeline.after(arrival - timeline.now, () => {
      if (!this.#broken) happen();
    });
  }
}

function wentAway(): SymmetraError {
  return new SymmetraError('TRANSPORT_FAILED', 'the device went away');
}

function unreachable(address: string): SymmetraError {
  return new SymmetraError('NODE_UNREACHABLE', 'the node can not be reached', { address });
}
