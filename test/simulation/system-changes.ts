import { toBase32 } from '@symmetra/crypto';
import type { NodeMachine, Prng, World } from '@symmetra/testing';
import { Deck } from './system-deck.js';

/** How the nodes of a system change, by name: each must happen now and then. */
export const CHANGES = ['node-added', 'node-replaced', 'node-removed', 'former-node-runs-on'] as const;
const KINDS = ['node-added', 'node-replaced', 'node-replaced', 'node-removed'] as const;
type Kind = (typeof KINDS)[number];

const LIST_DEVICES = '/symmetra.admin.v1.AdminService/ListDevices';
const LONGEST_AFTERLIFE_MS = 30_000;
const SHORTEST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3000;

/** What changes need of the run. */
export interface ChangesParts {
  readonly world: World;
  readonly prng: Prng;
  /** How many there are at most. */
  readonly most: number;
  /** Has the process of a node started. */
  readonly start: (node: NodeMachine) => void;
  /** The ids of the devices that nobody waits for. */
  readonly revoked: ReadonlySet<string>;
}

/**
 * The holder of the root key and the operators: they add nodes, replace and remove them while everything else goes on.
 * They keep the rules of CTL-1.
 */
export class SystemChanges {
  readonly #parts: ChangesParts;
  readonly #deck: Deck<Kind>;
  readonly #formers = new Set<NodeMachine>();
  #made = 0;
  /** Nodes that devices knew and that are no more, since all devices were seen to be enrolled everywhere. */
  #lost = 0;
  #isUnderWay = false;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
    this.#deck = new Deck(KINDS, parts.prng);
  }

  /** Changes something; when too much is changing, looks whether it still is. */
  begin(): void {
    const { most } = this.#parts;
    if (this.#isUnderWay || this.#made >= most) return;
    const kind = this.#deck.draw();
    const isAllowed = this.#isAllowed(kind);
    if (isAllowed) this.#made += 1;
    this.#isUnderWay = true;
    void (isAllowed ? this.#change(kind) : this.#look()).finally(() => {
      this.#isUnderWay = false;
    });
  }

  /** Operators take away what the descriptor names no more. */
  end(): void {
    for (const node of this.#formers) node.retire();
    this.#formers.clear();
  }

  /** CTL-1: devices that have not come yet are known to k of the other nodes still. */
  #isAllowed(kind: Kind): boolean {
    const { descriptor } = this.#parts.world.root;
    if (kind === 'node-added') return true;
    const spare = descriptor.nodes.length - descriptor.threshold;
    return this.#lost < spare && (kind === 'node-replaced' || spare > 1);
  }

  /** Asks the nodes whom they know. What a device says of itself may be true of the nodes before them only. */
  async #look(): Promise<void> {
    const { world, revoked } = this.#parts;
    const { administrator, devices, nodes } = world;
    const expected = devices.filter(
      ({ alive, known }) => (alive || known !== undefined) && !revoked.has(known?.id ?? ''),
    );
    try {
      for (const { id, address } of nodes) {
        const reply = await administrator.call(id, LIST_DEVICES, {}, { address });
        const enrolled = new Set(reply.devices.map(({ deviceId }) => toBase32(deviceId)));
        if (!expected.every(({ known }) => enrolled.has(known?.id ?? ''))) return;
      }
      this.#lost = 0;
    } catch {
      // Some node does not answer now.
    }
  }

  async #change(kind: Kind): Promise<void> {
    const { world, prng, start } = this.#parts;
    if (kind === 'node-added') {
      const node = await world.addNode(`node-${world.machines.length + 1}`);
      await this.#announce();
      start(node);
    } else {
      this.#lost += 1;
      const id = prng.pick(world.nodeIds);
      const formers = world.nodes.filter((node) => node.id === id);
      const isLost = prng.chance(0.5);
      if (isLost) for (const former of formers) former.retire();
      else this.#runOn(formers);
      if (kind === 'node-removed') {
        world.removeNode(id);
        await this.#announce();
      } else {
        const node = await world.addNode(id);
        await this.#announce();
        start(node);
      }
    }
    world.occurrences.note(`change:${kind}`);
  }

  /** Machines that nobody has taken away yet: they go on with what they have. */
  #runOn(formers: readonly NodeMachine[]): void {
    const { world, prng } = this.#parts;
    for (const former of formers) {
      this.#formers.add(former);
      world.timeline.after(prng.below(LONGEST_AFTERLIFE_MS), () => {
        if (former.alive && !former.isRetired) world.occurrences.note('change:former-node-runs-on');
        former.retire();
      });
    }
  }

  /** Some node gets the newest descriptor; the others hear of it (CTL-7). */
  async #announce(): Promise<void> {
    const { world, prng } = this.#parts;
    for (;;) {
      try {
        await world.bringDescriptor(prng.pick(world.nodes));
        return;
      } catch {
        await new Promise<void>((resolve) => {
          world.timeline.after(prng.between(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS), resolve);
        });
      }
    }
  }
}
