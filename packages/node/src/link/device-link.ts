import { SymmetraError } from '@symmetra/crypto';
import { isSealedMethod, publicCode } from '@symmetra/rpc';
import type { LinkStream, Message } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { Presences } from '../presence/presences.js';
import type { CallRouter } from '../routing/call-router.js';
import type { CallPath } from '../session/sealed-handler.js';
import { linkNotBound } from './link-not-bound.js';
import type { LinkTable } from './link-table.js';

const ATTACH = '/symmetra.session.v1.SessionService/Attach';

type Call = Message<'symmetra.link.v1.Call'>;

export interface DeviceLinkParts {
  readonly self: string;
  /** This process. */
  readonly instance: string;
  readonly logger: Logger;
  readonly router: CallRouter;
  readonly links: LinkTable;
  readonly presences: Presences;
}

/** One device's link: its calls, in any number at once. The first is Attach at this node, which binds the link. */
export class DeviceLink implements CallPath {
  readonly instance: string;
  readonly #stream: LinkStream;
  readonly #parts: DeviceLinkParts;
  #deviceHex: string | undefined;
  /** The Attach that binds the link, while it is under way. */
  #binding: Promise<unknown> | undefined;
  #isOver = false;

  constructor(stream: LinkStream, parts: DeviceLinkParts) {
    this.#stream = stream;
    this.#parts = parts;
    this.instance = parts.instance;
    stream.onFrame(({ calls }) => {
      for (const call of calls) void this.#answer(call);
    });
    stream.onClose(() => this.#leave());
  }

  accepts(deviceHex: string): boolean {
    return this.#deviceHex === undefined || this.#deviceHex === deviceHex;
  }

  bind(deviceHex: string): void {
    if (this.#isOver || !this.accepts(deviceHex)) throw linkNotBound();
    this.#deviceHex = deviceHex;
    this.#parts.links.bind(deviceHex, this.#stream);
  }

  async #answer(call: Call): Promise<void> {
    const { id } = call;
    try {
      this.#stream.sendReply({ id, sealed: await this.#route(call) });
    } catch (error) {
      const transportError = publicCode(error);
      if (transportError === 'INTERNAL') {
        this.#parts.logger.error({ method: call.method, err: error }, 'A call on a link failed.');
      }
      this.#stream.sendReply({ id, transportError });
    }
  }

  async #route({ method, sealed }: Call): ReturnType<CallRouter['sealed']> {
    const { self, router } = this.#parts;
    if (sealed === null || !isSealedMethod(method)) {
      throw new SymmetraError('METHOD_NOT_ALLOWED', 'no such method may be called on a link');
    }
    if (this.#deviceHex === undefined && this.#binding === undefined) {
      if (method !== ATTACH || (sealed.node !== '' && sealed.node !== self)) throw linkNotBound();
      const reply = router.sealed(method, sealed, this);
      this.#binding = reply.catch(() => undefined);
      return reply.finally(() => {
        this.#binding = undefined;
      });
    }
    if (this.#binding !== undefined) await this.#binding;
    if (this.#deviceHex === undefined) throw linkNotBound();
    return router.sealed(method, sealed, this);
  }

  #leave(): void {
    this.#isOver = true;
    const { links, presences } = this.#parts;
    const deviceHex = this.#deviceHex;
    if (deviceHex === undefined || !links.unbind(deviceHex, this.#stream)) return;
    presences.leave(deviceHex, () => links.of(deviceHex) !== undefined);
  }
}
