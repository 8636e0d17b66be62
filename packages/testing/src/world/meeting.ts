import { InProcessLog, LinkedBus } from '@symmetra/bus';
import type { Bus, LogStream, Wire } from '@symmetra/bus';
import { toHex } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import type { NodeIdentity } from '@symmetra/node';
import type { Descriptor } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import { CHEAP_SUITE_ID } from '../cheap-suite.js';
import type { Prng } from '../prng.js';
import { SimulatedWires } from '../simulated-wires.js';
import { Life } from './life.js';
import { LogPlace } from './log-place.js';
import type { LogWeather } from './log-place.js';
import { MachineClock } from './machine-clock.js';
import type { Timeline } from './timeline.js';

const INSTANCE_BYTES = 4;
/** Links are renewed often, so that it falls together with everything else. */
const RENEW_MS = 45_000;

/** What a node's process brings to the others. It leaves them without a word when its life ends. */
export interface NodeMember {
  readonly life: Life;
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  /** The descriptor that it runs with. */
  readonly descriptor: Descriptor;
  /** Whether nothing passes between this process and all others now. */
  readonly isCutOff: () => boolean;
}

/** A process of a node among the others. */
export interface NodePlace {
  readonly bus: Bus;
  readonly log: LogStream;
}

/** A link that a process took for one with another process. */
export interface MadeLink {
  readonly node: string;
  /** Of the descriptor that the process runs with. */
  readonly version: number;
  readonly peer: string;
  /** Hash of the keys that the process at the other end really has, hexadecimal. */
  readonly peerKeys: string;
}

/** What a meeting needs of its world. */
export interface MeetingOptions {
  readonly timeline: Timeline;
  readonly suites: SuiteTable;
  readonly prng: (name: string) => Prng;
  readonly note: (event: string) => void;
}

/** Where the processes of nodes meet: wires between them, and the ordered log. */
export class Meeting {
  readonly wires: SimulatedWires;
  readonly controlLog: InProcessLog;
  /** How each node reaches the ordered log. */
  readonly logWeather = new Map<string, LogWeather>();
  /** Requests between nodes that failed for no reason that has a name. */
  readonly failures: string[] = [];
  readonly #options: MeetingOptions;
  /** Hash of the keys of every process that ever was there, by instance. */
  readonly #keys = new Map<string, string>();
  readonly #links = new Map<string, MadeLink>();

  constructor(options: MeetingOptions) {
    const { timeline, prng, note } = options;
    this.#options = options;
    const clock = new MachineClock(timeline).of(new Life());
    this.wires = new SimulatedWires({
      clock,
      prng: prng('wires'),
      onFault: (fault) => note(`wire:${fault}`),
    });
    this.controlLog = new InProcessLog(clock);
  }

  /** The links that were made, each kind once. */
  get links(): readonly MadeLink[] {
    return [...this.#links.values()];
  }

  /** A place for a process. */
  join({ identity, life, clock, random, descriptor, isCutOff }: NodeMember): NodePlace {
    const { suites, note } = this.#options;
    const { id } = identity;
    const { networkId, nodes, version } = descriptor;
    const address = { node: id, instance: toHex(random(INSTANCE_BYTES)) };
    this.#keys.set(address.instance, toHex(identity.keyHash));
    const wire = reachable(this.wires.join(address), life, isCutOff);
    life.onEnd(() => this.wires.kill(address));
    const bus = new LinkedBus({
      wire,
      clock,
      random,
      identity,
      context: { networkId, suites },
      peers: (nodeId) => nodes.find((node) => node.id === nodeId),
      suiteId: CHEAP_SUITE_ID,
      renewMs: RENEW_MS,
      onLink: ({ node: peer, instance, renewed }) => {
        note(renewed ? 'link:renewed' : 'link:made');
        const link = { node: id, version, peer, peerKeys: this.#keys.get(instance) ?? '' };
        this.#links.set(JSON.stringify(link), link);
      },
      onRefused: ({ code }) => note(`link-refused:${code}`),
      onFailure: (subject, error) => this.failures.push(`${id}, ${subject}: ${String(error)}`),
    });
    return { bus, log: this.#log(id, life) };
  }

  #log(id: string, life: Life): LogStream {
    const { timeline, prng, note } = this.#options;
    const weather = this.logWeather.get(id) ?? { slowest: 3, loss: 0, away: false };
    this.logWeather.set(id, weather);
    return new LogPlace({
      log: this.controlLog,
      life,
      timeline,
      prng: prng(`${id} log`),
      weather,
      note: (event) => note(`log:${event}`),
    });
  }
}

/** A wire as a process has it that may be stopped, or cut off from all others. */
function reachable(wire: Wire, life: Life, isCutOff: () => boolean): Wire {
  return {
    address: wire.address,
    maxDatagramBytes: wire.maxDatagramBytes,
    send: (to, datagram) => {
      if (!isCutOff()) wire.send(to, datagram);
    },
    listen: (onDatagram, onAbsent) => {
      wire.listen(
        (datagram) => {
          if (!isCutOff()) life.reach(() => onDatagram(datagram));
        },
        (to) => life.reach(() => onAbsent(to)),
      );
    },
    close: async () => wire.close(),
  };
}
