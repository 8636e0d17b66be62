import type { Wire, WireAddress } from '@symmetra/bus';

const MAX_DATAGRAM_BYTES = 1024 * 1024;

/** A datagram on its way. */
export interface CarriedDatagram {
  readonly from: Required<WireAddress>;
  readonly to: WireAddress;
  readonly bytes: Uint8Array;
}

/** What is carried in place of a datagram: the bytes of each, to where it goes. */
export type Interference = (datagram: CarriedDatagram) => readonly CarriedDatagram[];

/** Wires of one process that lose nothing: a datagram arrives in a later turn of the event loop, in order. */
export class MemoryWires {
  readonly #wires = new Map<string, MemoryWire>();
  readonly #guests = new WeakSet<MemoryWire>();
  /** Stands in the middle. */
  interfere: Interference = (datagram) => [datagram];

  /** @param isGuest what is for any process of the node is not for this one */
  join(address: Required<WireAddress>, isGuest = false): Wire {
    const wire = new MemoryWire(address, this.#wires, (datagram) => {
      for (const carried of this.interfere(datagram)) this.carry(carried);
    });
    this.#wires.set(nameOf(address), wire);
    if (isGuest) this.#guests.add(wire);
    return wire;
  }

  /** Carries a datagram, as whoever runs the wires can. */
  carry({ from, to, bytes }: CarriedDatagram): void {
    setImmediate(() => {
      const receiver = [...this.#wires.values()].find(
        (wire) =>
          wire.address.node === to.node &&
          (to.instance === undefined ? !this.#guests.has(wire) : wire.address.instance === to.instance),
      );
      if (receiver !== undefined) receiver.receive(bytes);
      else this.absent(from, to);
    });
  }

  /** Tells a process that nobody listens at an address. */
  absent(teller: Required<WireAddress>, to: WireAddress): void {
    this.#wires.get(nameOf(teller))?.miss(to);
  }

  /** The process is dead without a word. */
  kill(address: Required<WireAddress>): void {
    this.#wires.get(nameOf(address))?.die();
  }
}

class MemoryWire implements Wire {
  readonly address: Required<WireAddress>;
  readonly maxDatagramBytes = MAX_DATAGRAM_BYTES;
  readonly #wires: Map<string, MemoryWire>;
  readonly #transmit: (datagram: CarriedDatagram) => void;
  #onDatagram: ((datagram: Uint8Array) => void) | undefined;
  #onAbsent: ((to: WireAddress) => void) | undefined;
  #dead = false;

  constructor(
    address: Required<WireAddress>,
    wires: Map<string, MemoryWire>,
    transmit: (datagram: CarriedDatagram) => void,
  ) {
    this.address = address;
    this.#wires = wires;
    this.#transmit = transmit;
  }

  send(to: WireAddress, bytes: Uint8Array): void {
    if (!this.#dead && bytes.length <= MAX_DATAGRAM_BYTES) {
      this.#transmit({ from: this.address, to, bytes });
    }
  }

  listen(onDatagram: (datagram: Uint8Array) => void, onAbsent: (to: WireAddress) => void): void {
    this.#onDatagram = onDatagram;
    this.#onAbsent = onAbsent;
  }

  async close(): Promise<void> {
    this.die();
  }

  die(): void {
    this.#dead = true;
    this.#wires.delete(nameOf(this.address));
  }

  receive(datagram: Uint8Array): void {
    if (!this.#dead) this.#onDatagram?.(datagram);
  }

  miss(to: WireAddress): void {
    if (!this.#dead) this.#onAbsent?.(to);
  }
}

function nameOf({ node, instance }: Required<WireAddress>): string {
  return `${node}.${instance}`;
}
