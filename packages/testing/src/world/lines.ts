import { SymmetraError } from '@symmetra/crypto';
import type { ClientOptions, Door, Handlers, ServerOptions } from '@symmetra/rpc';
import type { Prng } from '../prng.js';
import { simulatedConnection } from './connection.js';
import type { CallerConnection } from './connection.js';
import type { Life } from './life.js';
import type { Timeline } from './timeline.js';

/** What befalls connections, for those who count. */
export const LINE_EVENTS = ['call-lost', 'reply-lost', 'link-broken', 'line-cut'] as const;
type LineEvent = (typeof LINE_EVENTS)[number];

/** How the lines between devices and nodes are: times in milliseconds. */
export interface LineWeather {
  /** Longest way of a message; the shortest is one. */
  readonly slowest: number;
  /** How probable it is that the connection breaks at a message. */
  readonly breaks: number;
}

const FINE: LineWeather = { slowest: 3, breaks: 0 };
/** When an end of a connection that carries nothing any more is sure to know it. */
const KEEPALIVE_MS = 30_000;

/** Who uses a line: a device or an administrator. */
export interface Caller {
  readonly name: string;
  readonly life: Life;
}

/** A node that is listening. */
export interface OpenDoor {
  readonly node: string;
  readonly life: Life;
  readonly handlers: Handlers;
  isServing: boolean;
}

/** What the lines of one world need. */
export interface LinesOptions {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly note: (event: LineEvent) => void;
}

/**
 * The lines between nodes and those who call them: connections that keep the order of what they carry, as TCP does, and
 * that break.
 */
export class Lines {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly note: (event: LineEvent) => void;
  readonly #doors = new Map<string, OpenDoor>();
  readonly #links = new Set<{ readonly caller: string; readonly node: string; breakUp(): void }>();
  readonly #cut = new Set<string>();
  weather: LineWeather = FINE;

  constructor(options: LinesOptions) {
    this.timeline = options.timeline;
    this.prng = options.prng;
    this.note = options.note;
  }

  /** The door of a node's process at an address. */
  door(node: string, life: Life, address: string): (options: ServerOptions) => Door {
    return ({ handlers }) => {
      const door: OpenDoor = { node, life, handlers, isServing: false };
      const shut = (): void => {
        if (this.#doors.get(address) === door) this.#doors.delete(address);
      };
      let port = 0;
      return {
        start: async () => {
          if (this.#doors.has(address)) throw new SymmetraError('PORT_IN_USE', 'the address is in use');
          this.#doors.set(address, door);
          life.onEnd(shut);
          port = Number(address.split(':')[1]);
          return port;
        },
        setServing: (isServing) => {
          door.isServing = isServing;
        },
        stop: async () => {
          shut();
          for (const link of this.#links) if (link.node === node) link.breakUp();
        },
      };
    };
  }

  /** The connection of a caller to an address. */
  connect(caller: Caller, address: string, options: ClientOptions = {}): CallerConnection {
    return simulatedConnection(this, caller, address, options);
  }

  /** Who listens at an address. */
  listener(address: string): OpenDoor | undefined {
    return this.#doors.get(address);
  }

  /** Nothing passes between the two until {@link Lines.mend}. */
  cut(caller: string, node: string): void {
    this.#cut.add(`${caller} ${node}`);
    this.note('line-cut');
    for (const link of this.#links) if (link.caller === caller && link.node === node) link.breakUp();
  }

  /** Ends all cuts. */
  mend(): void {
    this.#cut.clear();
  }

  /** Whether nothing passes between the two. */
  isCut(caller: string, node: string): boolean {
    return this.#cut.has(`${caller} ${node}`);
  }

  /** How long a message takes. */
  way(): number {
    return this.prng.between(1, this.weather.slowest);
  }

  /** When an end of a broken connection learns of it. */
  silence(): number {
    return this.prng.chance(0.5) ? this.way() : this.prng.between(1, KEEPALIVE_MS);
  }

  /** Whether the connection breaks now. */
  breaks(): boolean {
    return this.prng.chance(this.weather.breaks);
  }

  /** Takes a link among those that break when the line is cut. @returns what takes it out again */
  keep(link: { readonly caller: string; readonly node: string; breakUp(): void }): () => void {
    this.#links.add(link);
    return () => this.#links.delete(link);
  }
}
