import type { Logger } from '@symmetra/runtime';
import { codeOf } from '../failure.js';
import type { NodeRoutes } from '../network/node-routes.js';
import type { Timers } from '../timers.js';

/** A home that may withhold is left at most once in this time. */
const SILENT_MS = 60_000;
/** A home through which a node that serves can not be reached, likewise; twice as long each time, up to that. */
const KEPT_AWAY_MS = 10_000;

export interface HomeDoubtsParts {
  readonly routes: NodeRoutes;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** PAIR-10: what speaks against the home, and how often a device leaves one for it. */
export class HomeDoubts {
  readonly #parts: HomeDoubtsParts;
  readonly #probed = new Set<string>();
  /** When a home was left because it may withhold, monotonic milliseconds. */
  #leftMs = Number.NEGATIVE_INFINITY;
  #keptAwayMs = KEPT_AWAY_MS;

  constructor(parts: HomeDoubtsParts) {
    this.#parts = parts;
  }

  /** A peer stays silent. @returns whether the home is left for it */
  silent(): boolean {
    return this.#leave(SILENT_MS);
  }

  /** A node that serves is not reached through the home. @returns whether the home is left for it */
  keptAway(): boolean {
    if (!this.#leave(this.#keptAwayMs)) return false;
    this.#keptAwayMs = Math.min(2 * this.#keptAwayMs, SILENT_MS);
    return true;
  }

  /** All nodes know where the device is. */
  dispelled(): void {
    this.#keptAwayMs = KEPT_AWAY_MS;
  }

  /** Whether a node says directly that it serves: then it is the home that keeps it away. False while it is being asked. */
  async serves(nodeId: string): Promise<boolean> {
    if (this.#probed.has(nodeId)) return false;
    this.#probed.add(nodeId);
    const { routes, logger } = this.#parts;
    try {
      const [address] = routes.addresses(nodeId);
      return address !== undefined && (await routes.client(address).health()) === 'SERVING';
    } catch (error) {
      logger.debug({ node: nodeId, code: codeOf(error) }, 'A node can not be reached by any way.');
      return false;
    } finally {
      this.#probed.delete(nodeId);
    }
  }

  #leave(everyMs: number): boolean {
    const now = this.#parts.timers.monotonic();
    if (now < this.#leftMs + everyMs) return false;
    this.#leftMs = now;
    return true;
  }
}
