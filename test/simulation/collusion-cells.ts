import { Attacker } from './collusion-attacker.js';
import { Negotiation } from './collusion-negotiation.js';
import type { NegotiationOptions, NegotiationOutcome, Strategy } from './collusion-negotiation.js';
import { NODE_IDS, THRESHOLD } from './collusion-node.js';
import type { CollusionNode } from './collusion-node.js';
import { Faithful, ManInTheMiddle, Tampering } from './collusion-strategies.js';
import { CollusionWorld } from './collusion-world.js';

/** How the devices of a column negotiate. */
export interface Column {
  readonly name: string;
  readonly direct: boolean;
  readonly firstContactAll: boolean;
}

/** What one coalition, or one strategy of it, came to. */
export interface Trial {
  readonly learned: boolean;
  /** What the devices dropped or refused, and why. */
  readonly refusals: readonly string[];
  /** How many keys devices gave to their users. */
  readonly accepted: number;
}

/** All trials of a cell, and the same attacker with the one secret that it lacked. */
export interface Cell {
  /** Without the missing secret, one list of strategies for each coalition. */
  readonly trials: readonly (readonly Trial[])[];
  /** With the missing secret. */
  readonly controls: readonly Trial[];
}

type StrategyOf = (attacker: Attacker, world: CollusionWorld) => Strategy;

const faithful: StrategyOf = (attacker) => new Faithful(attacker);
const middle =
  (threshold: 'asked' | number, copyOffers: boolean): StrategyOf =>
  (attacker, world) =>
    new ManInTheMiddle(attacker, (length) => world.fresh(length), { threshold, copyOffers });

/** Every strategy of active nodes. */
const STRATEGIES: readonly StrategyOf[] = [
  faithful,
  middle('asked', false),
  middle('asked', true),
  middle(THRESHOLD, false),
  (attacker, world) => new Tampering(attacker, (length) => world.fresh(length)),
];

/** All sets of `size` nodes. */
function coalitionsOf(size: number): readonly (readonly string[])[] {
  const sets = Array.from({ length: 2 ** NODE_IDS.length }, (_, bits) =>
    NODE_IDS.filter((_id, i) => (bits & (1 << i)) !== 0),
  );
  return sets.filter((set) => set.length === size);
}

/** k of a first contact. */
function thresholdOf({ firstContactAll }: Column): number {
  return firstContactAll ? NODE_IDS.length : THRESHOLD;
}

/** What a node tells the attacker: its static key, its tokens, and the chains that it stores or ever stored. */
function betray(attacker: Attacker, node: CollusionNode, since: 'ever' | 'now'): void {
  attacker.breakKem((publicKey) => (sameKey(publicKey, node) ? node.secretKey.bytes : undefined));
  for (const token of node.tokens) attacker.learnNodeToken(token);
  for (const states of node.chains.values()) {
    for (const { parties, keys, pending } of since === 'ever' ? states : states.slice(-1)) {
      attacker.learnEpoch({ parties, keys });
      if (pending !== undefined) attacker.learnEpoch({ parties, keys: pending.keys });
    }
  }
  for (const share of node.shares) attacker.learnShare(node.id, share);
}

function sameKey(publicKey: Uint8Array, node: CollusionNode): boolean {
  return Buffer.from(publicKey).equals(node.publicKey);
}

function trialOf(attacker: Attacker, { accepted, refusals }: NegotiationOutcome): Trial {
  const keys = attacker.compute();
  return { learned: accepted.some((key) => keys.has(key)), refusals, accepted: accepted.length };
}

/** The trials of one cell; they run in a world of their own. */
export class Collusion {
  readonly #world: CollusionWorld;
  readonly #column: Column;

  constructor(row: string, column: Column) {
    this.#world = new CollusionWorld(`${row} / ${column.name}`);
    this.#column = column;
  }

  /** Fewer than k nodes, which do what they like from the beginning. Missing: the share of one more node. */
  fewer(): Cell {
    return this.#activeFromTheBeginning(thresholdOf(this.#column) - 1);
  }

  /** k or more nodes but not all, likewise. */
  several(): Cell {
    return this.#activeFromTheBeginning(THRESHOLD);
  }

  /** All nodes, likewise. */
  all(): Cell {
    return this.#activeFromTheBeginning(NODE_IDS.length);
  }

  /**
   * k or more nodes that write everything down, or whose stores are taken while the shares rest. Missing: Alice's KEM
   * key (and to a coalition that is smaller than what Alice dealt for, a share as well: it has no control).
   */
  recording(): Cell {
    const coalitions = [...coalitionsOf(THRESHOLD), ...coalitionsOf(NODE_IDS.length)];
    const enough = coalitions.filter((nodes) => nodes.length >= thresholdOf(this.#column));
    return {
      trials: coalitions.map((nodes) => [this.#recorded(nodes, false), this.#seized(nodes, false)]),
      controls: enough.flatMap((nodes) => [this.#recorded(nodes, true), this.#seized(nodes, true)]),
    };
  }

  /**
   * All nodes, taken over after the devices have met. Missing: what the devices kept of the first contact.
   * @param since whether the nodes wrote down the first contact as well.
   */
  later(since: 'ever' | 'now' = 'now'): Cell {
    const run = (strategy: StrategyOf, told: boolean): Trial => {
      const world = this.#world;
      world.forget();
      new Negotiation(world, this.#options()).run();
      const attacker = this.#attacker();
      for (const node of world.nodes) betray(attacker, node, since);
      const kept = world.alice.continuity.newest;
      if (told && kept !== undefined) attacker.learnContinuity({ ...kept, secret: kept.secret.clone() });
      world.openSessions();
      return this.#active(attacker, strategy, NODE_IDS, { threshold: THRESHOLD });
    };
    return {
      trials: [STRATEGIES.map((strategy) => run(strategy, false))],
      controls: [run(middle('asked', false), true)],
    };
  }

  /** Every line recorded and every KEM broken, but no node. Missing: Alice's token. */
  quantum(): Cell {
    const run = (told: boolean): Trial => {
      const world = this.#world;
      world.forget();
      const attacker = this.#attacker();
      attacker.breakKem(world.kem.break);
      if (told) attacker.learnToken(world.alice.token);
      const outcome = new Negotiation(world, this.#options()).run();
      attacker.hear(world.wire);
      return trialOf(attacker, outcome);
    };
    return { trials: [[run(false)]], controls: [run(true)] };
  }

  #activeFromTheBeginning(size: number): Cell {
    const run = (nodes: readonly string[], strategy: StrategyOf, leaks: readonly string[]): Trial => {
      this.#world.forget();
      const attacker = this.#attacker();
      for (const id of nodes) betray(attacker, this.#world.node(id), 'ever');
      return this.#active(attacker, strategy, nodes, { leaks });
    };
    const coalitions = coalitionsOf(size);
    return {
      trials: coalitions.map((nodes) => STRATEGIES.map((strategy) => run(nodes, strategy, []))),
      controls: coalitions.map((nodes) => {
        const others = NODE_IDS.filter((id) => !nodes.includes(id));
        return run(nodes, middle('asked', false), others.slice(0, 1));
      }),
    };
  }

  #active(
    attacker: Attacker,
    strategyOf: StrategyOf,
    nodes: readonly string[],
    { leaks = [], threshold }: { readonly leaks?: readonly string[]; readonly threshold?: number },
  ): Trial {
    const world = this.#world;
    const takeover = {
      nodes: new Set(nodes),
      leaks: new Set(leaks),
      strategy: strategyOf(attacker, world),
    };
    const options = { ...this.#options(), ...(threshold !== undefined && { threshold }), takeover };
    const outcome = new Negotiation(world, options).run();
    attacker.hear(world.wire);
    return trialOf(attacker, outcome);
  }

  #recorded(nodes: readonly string[], kemBroken: boolean): Trial {
    const world = this.#world;
    world.forget();
    const attacker = this.#attacker();
    const outcome = new Negotiation(world, this.#options()).run();
    for (const id of nodes) betray(attacker, world.node(id), 'ever');
    return this.#overheard(attacker, outcome, kemBroken);
  }

  #seized(nodes: readonly string[], kemBroken: boolean): Trial {
    const world = this.#world;
    world.forget();
    const attacker = this.#attacker();
    const outcome = new Negotiation(world, {
      ...this.#options(),
      atRest: () => {
        for (const id of nodes) betray(attacker, world.node(id), 'now');
      },
    }).run();
    return this.#overheard(attacker, outcome, kemBroken);
  }

  #overheard(attacker: Attacker, outcome: NegotiationOutcome, kemBroken: boolean): Trial {
    const { wire, kem } = this.#world;
    attacker.hear(wire);
    const { ephemeralKey } = outcome;
    if (kemBroken) {
      attacker.breakKem((key) => (Buffer.from(key).equals(ephemeralKey) ? kem.break(key) : undefined));
    }
    return trialOf(attacker, outcome);
  }

  #attacker(): Attacker {
    return new Attacker(this.#world.context, this.#world.nodes);
  }

  #options(): NegotiationOptions {
    const { direct, firstContactAll } = this.#column;
    return { direct, firstContactAll, threshold: thresholdOf(this.#column) };
  }
}
