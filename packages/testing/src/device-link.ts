import { SymmetraError } from '@symmetra/crypto';
import type { NodeClient, ClientLink, Message, MessageInput, SealedMethod } from '@symmetra/rpc';

/** What a device gets on its link. */
export type LinkFrame = Message<'symmetra.link.v1.ConnectResponse'>;

type Sealed = Message<'symmetra.sealed.v1.Sealed'>;

interface Waiting {
  readonly resolve: (sealed: Sealed) => void;
  readonly reject: (error: SymmetraError) => void;
}

/** A test device's end of its link: matches replies with calls. */
export class TestLink {
  readonly #link: ClientLink;
  readonly #waiting = new Map<number, Waiting>();
  /** Fulfilled when the link has ended: with the reason, or with nothing when it ended in order. */
  readonly closed: Promise<SymmetraError | undefined>;
  #lastCall = 0;

  /**
   * @param onEvent takes each event as it arrives.
   * @param onFrame takes each whole frame, after its events.
   */
  constructor(
    client: NodeClient,
    onEvent: (event: Message<'symmetra.link.v1.Event'>) => void,
    onFrame: (frame: LinkFrame) => void = () => undefined,
  ) {
    this.#link = client.connectLink();
    this.#link.onFrame((frame) => {
      for (const reply of frame.replies) this.#settle(reply);
      for (const event of frame.events) onEvent(event);
      onFrame(frame);
    });
    this.closed = new Promise((resolve) => {
      this.#link.onClose((reason) => {
        const error = reason ?? new SymmetraError('TRANSPORT_FAILED', 'the link ended');
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve(reason);
      });
    });
  }

  async call(method: SealedMethod, sealed: MessageInput<'symmetra.sealed.v1.Sealed'>): Promise<Sealed> {
    this.#lastCall += 1;
    const id = this.#lastCall;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (!this.#link.send({ id, method, sealed })) {
        this.#waiting.delete(id);
        reject(new SymmetraError('TRANSPORT_FAILED', 'the link is closed'));
      }
    });
  }

  close(): void {
    this.#link.close();
  }

  #settle({ id, sealed, transportError }: Message<'symmetra.link.v1.Reply'>): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (sealed) waiting?.resolve(sealed);
    else waiting?.reject(new SymmetraError(transportError ?? 'BAD_MESSAGE', 'the call reached no session'));
  }
}
