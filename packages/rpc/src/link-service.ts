import type { ServerDuplexStream } from '@grpc/grpc-js';
import { SymmetraError } from '@symmetra/crypto';
import { publicCode, toStatus } from './errors.js';
import { GrpcLinkStream } from './link-stream.js';
import type { LinkStream, LinkSurroundings } from './link-stream.js';
import { addressKey } from './peer-address.js';

/** How many links may be open at once. */
export interface LinkCounts {
  readonly maxLinks: number;
  /** Counted by IPv4 address or /64 network. */
  readonly maxLinksPerAddress: number;
}

/** Opens, counts and closes links. */
export class LinkService {
  readonly #around: LinkSurroundings;
  readonly #counts: LinkCounts;
  readonly #onLink: (stream: LinkStream) => void;
  readonly #links = new Set<GrpcLinkStream>();
  readonly #perAddress = new Map<string, number>();

  constructor(around: LinkSurroundings, counts: LinkCounts, onLink: (stream: LinkStream) => void) {
    this.#around = around;
    this.#counts = counts;
    this.#onLink = onLink;
  }

  /** Handles one stream of the method `method`. */
  connect(method: string, call: ServerDuplexStream<Buffer, Buffer>): void {
    const peer = call.getPeer();
    const address = addressKey(peer);
    let link: GrpcLinkStream;
    try {
      this.#around.admission.admit(method, 0, address);
      this.#checkCounts(address);
      link = new GrpcLinkStream(call, this.#around);
      this.#onLink(link);
    } catch (error) {
      const { logger } = this.#around;
      if (publicCode(error) === 'INTERNAL') logger.error({ peer, err: error }, 'A link failed.');
      else logger.debug({ peer, err: error }, 'A link was refused.');
      call.emit('error', toStatus(error));
      return;
    }
    this.#count(link, address);
    link.start();
  }

  /** Closes every link with a reason that devices understand: go to another home node. */
  closeAll(): void {
    for (const link of this.#links) link.close('NODE_STOPPING', 'the node stops');
  }

  #checkCounts(address: string): void {
    const full =
      this.#links.size >= this.#counts.maxLinks ||
      (this.#perAddress.get(address) ?? 0) >= this.#counts.maxLinksPerAddress;
    if (full) throw new SymmetraError('TOO_MANY_LINKS', 'the node has as many links as it serves');
  }

  #count(link: GrpcLinkStream, address: string): void {
    this.#links.add(link);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    link.onClose(() => {
      this.#links.delete(link);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }
}
