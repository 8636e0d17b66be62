import type { LinkStream } from '@symmetra/rpc';

/** The links of the devices that are at home here, one for each device. */
export class LinkTable {
  readonly #links = new Map<string, LinkStream>();
  #onUnbound: (deviceHex: string) => void = () => undefined;

  /** How many there are. */
  get size(): number {
    return this.#links.size;
  }

  /** Has a listener told of each device that has no link any more. */
  onUnbound(listener: (deviceHex: string) => void): void {
    this.#onUnbound = listener;
  }

  /** Binds a link to a device. The link that the device had is closed with LINK_REPLACED. */
  bind(deviceHex: string, stream: LinkStream): void {
    const former = this.#links.get(deviceHex);
    if (former === stream) return;
    this.#links.set(deviceHex, stream);
    former?.close('LINK_REPLACED', 'the device opened another link');
  }

  /** Forgets a link that has ended. @returns whether it was the device's newest. */
  unbind(deviceHex: string, stream: LinkStream): boolean {
    if (this.#links.get(deviceHex) !== stream) return false;
    this.#links.delete(deviceHex);
    this.#onUnbound(deviceHex);
    return true;
  }

  of(deviceHex: string): LinkStream | undefined {
    return this.#links.get(deviceHex);
  }

  /** Ends all links with a code. */
  closeAll(code: string, message: string): void {
    for (const stream of this.#links.values()) stream.close(code, message);
  }

  /** Ends a device's link with a code. */
  close(deviceHex: string, code: string, message: string): void {
    this.#links.get(deviceHex)?.close(code, message);
  }
}
