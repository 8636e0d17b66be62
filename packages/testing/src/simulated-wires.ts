import type { Wire, WireAddress } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import type { Clock } from '@symmetra/runtime';
import { CALM, corrupt } from './faults.js';
import type { FAULT_KINDS, Faults } from './faults.js';
import type { Prng } from './prng.js';

const MAX_DATAGRAM_BYTES = 1024 * 1024;
/** What every datagram takes, in milliseconds. */
const LATENCY_MS = 1;

/** What decides about the wires of one world. */
export interface SimulatedWiresOptions {
  readonly clock: Clock;
  readonly prng: Prng;
  /** The weather at the start; calm when left out. Its delays are milliseconds here. */
  readonly faults?: Faults;
  /** Told of each fault that happens. */
  readonly onFault?: (kind: (typeof FAULT_KINDS)[number]) => void;
}

/**
 * Wires between simulated processes: they lose, repeat, reorder, delay and damage datagrams, and nodes can be cut off
 * from one another. All of it follows from the generator and the clock.
 */
export class SimulatedWires {
  readonly #options: SimulatedWiresOptions;
  readonly #ends = new Map<string, SimulatedWire>();
  readonly #sides = new Map<string, number>();
  #faults: Faults;
  #latest: Uint8Array = new Uint8Array(1);

  constructor(options: SimulatedWiresOptions) {
    this.#options = options;
    this.#faults = options.faults ?? CALM;
  }

  /** The wire of a process. @throws SymmetraError NODE_ID_TAKEN while another one has the address */
  join(address: Required<WireAddress>): Wire {
    const name = nameOf(address);
    if (this.#ends.has(name)) {
      throw new SymmetraError('NODE_ID_TAKEN', 'the process is on the wires already', { process: name });
    }
    const wire = new SimulatedWire(address, {
      transmit: (to, datagram) => this.#transmit(wire, to, datagram),
      leave: () => this.#leave(wire),
    });
    this.#ends.set(name, wire);
    return wire;
  }

  /** The process is dead: it sends and hears nothing more. */
  kill(address: Required<WireAddress>): void {
    const wire = this.#ends.get(nameOf(address));
    if (wire === undefined) return;
    wire.die();
    this.#leave(wire);
  }

  /** From now on this is the weather. */
  set faults(faults: Faults) {
    this.#faults = faults;
  }

  /** Nodes of different sides do not reach one another, and do not notice why. Nodes of no side are on the first. */
  partition(...sides: readonly (readonly string[])[]): void {
    this.heal();
    sides.forEach((nodes, side) => nodes.forEach((node) => this.#sides.set(node, side)));
  }

  /** Ends the partition. */
  heal(): void {
    this.#sides.clear();
  }

  #leave(wire: SimulatedWire): void {
    const name = nameOf(wire.address);
    if (this.#ends.get(name) === wire) this.#ends.delete(name);
  }

  #transmit(from: SimulatedWire, to: WireAddress, datagram: Uint8Array): void {
    const { prng } = this.#options;
    if (this.#apart(from.address.node, to.node)) return;
    const copies = prng.chance(this.#faults.repetition) ? prng.between(2, 3) : 1;
    if (copies > 1) this.#note('repeated');
    for (let i = 0; i < copies; i++) {
      if (prng.chance(this.#faults.loss)) this.#note('lost');
      else this.#carry(from, to, this.#damaged(datagram));
    }
    this.#latest = datagram.slice();
  }

  #carry(from: SimulatedWire, to: WireAddress, datagram: Uint8Array): void {
    const { clock } = this.#options;
    clock.setTimer(this.#delay(), () => {
      if (this.#apart(from.address.node, to.node)) return;
      const listener = this.#listener(to);
      if (listener !== undefined) listener.receive(datagram);
      else clock.setTimer(LATENCY_MS, () => from.miss(to));
    });
  }

  /** Who gets what is sent to the address: of several processes of a node any one. */
  #listener(to: WireAddress): SimulatedWire | undefined {
    const { node, instance } = to;
    if (instance !== undefined) {
      const wire = this.#ends.get(nameOf({ node, instance }));
      return wire?.listening ? wire : undefined;
    }
    const wires = [...this.#ends.values()].filter((wire) => wire.listening && wire.address.node === node);
    return wires.length === 0 ? undefined : this.#options.prng.pick(wires);
  }

  #apart(one: string, other: string): boolean {
    return (this.#sides.get(one) ?? 0) !== (this.#sides.get(other) ?? 0);
  }

  #delay(): number {
    const { prng } = this.#options;
    if (!prng.chance(this.#faults.delay)) return LATENCY_MS;
    this.#note('delayed');
    return LATENCY_MS + prng.between(1, this.#faults.longestDelay);
  }

  #damaged(datagram: Uint8Array): Uint8Array {
    const { prng } = this.#options;
    if (datagram.length === 0 || !prng.chance(this.#faults.corruption)) return datagram.slice();
    const { kind, frame } = corrupt(prng, datagram, this.#latest);
    this.#note(kind);
    return frame;
  }

  #note(kind: (typeof FAULT_KINDS)[number]): void {
    this.#options.onFault?.(kind);
  }
}

interface WireWorld {
  transmit(to: WireAddress, datagram: Uint8Array): void;
  leave(): void;
}

class SimulatedWire implements Wire {
  readonly address: Required<WireAddress>;
  readonly maxDatagramBytes = MAX_DATAGRAM_BYTES;
  readonly #world: WireWorld;
  #onDatagram: ((datagram: Uint8Array) => void) | undefined;
  #onAbsent: ((to: WireAddress) => void) | undefined;
  #closed = false;

  constructor(address: Required<WireAddress>, world: WireWorld) {
    this.address = address;
    this.#world = world;
  }

  get listening(): boolean {
    return this.#onDatagram !== undefined;
  }

  send(to: WireAddress, datagram: Uint8Array): void {
    if (this.#closed || datagram.length > MAX_DATAGRAM_BYTES) return;
    this.#world.transmit(to, datagram);
  }

  listen(onDatagram: (datagram: Uint8Array) => void, onAbsent: (to: WireAddress) => void): void {
    if (this.#closed) return;
    this.#onDatagram = onDatagram;
    this.#onAbsent = onAbsent;
  }

  async close(): Promise<void> {
    this.die();
    this.#world.leave();
  }

  receive(datagram: Uint8Array): void {
    this.#onDatagram?.(datagram);
  }

  miss(to: WireAddress): void {
    this.#onAbsent?.(to);
  }

  die(): void {
    this.#closed = true;
    this.#onDatagram = undefined;
    this.#onAbsent = undefined;
  }
}

function nameOf({ node, instance }: Required<WireAddress>): string {
  return `${node}.${instance}`;
}
