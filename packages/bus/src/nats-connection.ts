import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { SymmetraError } from '@symmetra/crypto';
import { Events, connect } from 'nats';
import type { ConnectionOptions, NatsConnection as Core, Status } from 'nats';
import { isPassing, startFailure, worst } from './nats-failure.js';
import { NkeySigner } from './nats-key.js';
import { inboxPrefix } from './nats-names.js';

/** Longest message that the servers must take, in bytes: what they take as they come. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A server that is silent for this long, twice, is given up: also one that is merely stopped. */
const PING_MS = 1000;
const PINGS = 2;
/** Longest attempt to connect to one server. */
const DIAL_MS = 3000;
/** An attempt that begins late has this long all the same: cut short it would say nothing of the server. */
const SHORTEST_DIAL_MS = 1000;
const START_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
/** How long closing waits for what is on its way. */
const DRAIN_MS = 1000;
const PORT = /:\d+$/;

/** Certificates and keys as PEM text. */
export interface NatsTls {
  /** The authorities that may vouch for the servers. */
  readonly ca: string;
  /** What this side shows, where servers ask for it. */
  readonly cert?: string;
  readonly key?: string;
}

/** What became of the connection, or what the server refused. */
export type NatsStatus =
  | { readonly kind: 'disconnected' | 'reconnected'; readonly server: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly subject?: string }
  /** A listener of this process threw: a defect. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** Where the servers are and how this node proves who it is. */
export interface NatsOptions {
  /** All servers of the NATS cluster, `nats://host:port` or `tls://host:port`: what servers tell of one another is not used. */
  readonly servers: readonly string[];
  /** The id of the node: names the connection, and the subjects of replies. */
  readonly node: string;
  /** Present: the connection is encrypted, and the certificate of a server must name one of `servers`. */
  readonly tls?: NatsTls;
  /** The seed of an nkey (`SU...`, ASCII), for as long as the call takes: the caller wipes it afterwards. */
  readonly nkeySeed?: Uint8Array;
  /** How long a start tries, in milliseconds, beside the attempts that are under way then. 10 s when left out. */
  readonly startMs?: number;
  readonly onStatus?: (status: NatsStatus) => void;
}

/**
 * Connects to the first server that answers. From then on the connection comes back by itself, with pauses that grow
 * to 2 s and vary, for as long as it takes. A server that does not answer is noticed within about 3 s.
 * @throws SymmetraError BUS_UNREACHABLE; BUS_REFUSED; BUS_UNTRUSTED; BUS_TOO_SMALL; BAD_NKEY; NODE_ID_UNUSABLE
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const signer = options.nkeySeed === undefined ? undefined : new NkeySigner(options.nkeySeed);
  const pace = new Pace();
  const settings: ConnectionOptions = {
    name: options.node,
    inboxPrefix: inboxPrefix(options.node),
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    noRandomize: true,
    pingInterval: PING_MS,
    maxPingOut: PINGS,
    timeout: DIAL_MS,
    reconnectDelayHandler: () => pace.next(),
  };
  if (signer !== undefined) {
    settings.authenticator = (nonce?: string) => ({
      nkey: signer.public,
      sig: nonce === undefined ? '' : signer.sign(nonce),
    });
  }
  return new NatsConnection(await start(options, settings), pace, options.onStatus);
}

/** A connection to a NATS cluster, which comes back by itself. The wire and the log of a process share it. */
export class NatsConnection {
  /** The connection of nats.js. */
  readonly core: Core;
  readonly #pace: Pace;
  readonly #onStatus: (status: NatsStatus) => void;
  readonly #refused = new Set<string>();
  readonly #reconnected = new Set<() => void>();
  #connected = true;

  constructor(core: Core, pace: Pace, onStatus: NatsOptions['onStatus']) {
    this.core = core;
    this.#pace = pace;
    this.#onStatus = onStatus ?? (() => undefined);
    void this.#watch();
  }

  /** Whether a server is at the other end, as far as this side knows. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Has the callback called whenever the connection came back. @returns what ends that */
  onReconnected(callback: () => void): () => void {
    this.#reconnected.add(callback);
    return () => this.#reconnected.delete(callback);
  }

  /** Tells that a listener threw. */
  failed(error: unknown): void {
    this.#onStatus({ kind: 'failed', error });
  }

  /** Sends what waits, then leaves for good. */
  async close(): Promise<void> {
    if (this.#connected && !this.core.isClosed()) {
      const ended = new AbortController();
      const patience = delay(DRAIN_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      await Promise.race([this.core.drain().catch(() => undefined), patience]);
      ended.abort();
    }
    this.#connected = false;
    await this.core.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.core.status()) this.#take(status);
  }

  #take(status: Status): void {
    switch (status.type) {
      case Events.Disconnect:
        if (!this.#connected) return;
        this.#connected = false;
        this.#onStatus({ kind: 'disconnected', server: textOf(status.data) });
        return;
      case Events.Reconnect:
        this.#pace.reset();
        this.#connected = true;
        this.#onStatus({ kind: 'reconnected', server: textOf(status.data) });
        for (const callback of this.#reconnected) callback();
        return;
      case Events.Error:
        this.#refuse(status);
        break;
      default:
    }
  }

  /** What a server refuses is told once. */
  #refuse({ data, permissionContext }: Status): void {
    const reason = textOf(data);
    const subject = permissionContext && `${permissionContext.operation} ${permissionContext.subject}`;
    const line = `${reason} ${subject ?? ''}`;
    if (this.#refused.has(line) || this.#refused.size >= MOST_REFUSALS) return;
    this.#refused.add(line);
    this.#onStatus({ kind: 'refused', reason, ...(subject !== undefined && { subject }) });
  }
}

/** Refusals that are told apart. */
const MOST_REFUSALS = 64;

/** The pauses between attempts: they double up to the longest one, and vary by half. */
class Pace {
  #attempt = 0;

  next(): number {
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 16);
    return randomInt(longest / 2, longest + 1);
  }

  reset(): void {
    this.#attempt = 0;
  }
}

/**
 * Tries the servers in turn until one takes this node. nats.js forgets servers that fail before the first success, so
 * each is tried by itself before the connection is made that lasts.
 */
async function start(options: NatsOptions, settings: ConnectionOptions): Promise<Core> {
  const { servers, startMs = START_MS } = options;
  const began = performance.now();
  const pace = new Pace();
  const first = randomInt(servers.length);
  for (;;) {
    const failures: SymmetraError[] = [];
    for (let i = 0; i < servers.length; i++) {
      const order = [
        ...servers.slice((first + i) % servers.length),
        ...servers.slice(0, (first + i) % servers.length),
      ];
      const left = began + startMs - performance.now();
      const timeout = Math.max(SHORTEST_DIAL_MS, Math.min(DIAL_MS, left));
      const result = await attempt(order, { ...settings, timeout }, options.tls);
      if (!(result instanceof SymmetraError)) return result;
      failures.push(result);
    }
    const failure = worst(failures);
    const pause = pace.next();
    if (!isPassing(failure) || performance.now() + pause >= began + startMs) throw failure;
    await delay(pause);
  }
}

/** Connects to the first of these servers and remembers the others. */
async function attempt(
  servers: readonly string[],
  settings: ConnectionOptions,
  tls: NatsTls | undefined,
): Promise<Core | SymmetraError> {
  const server = String(servers[0]);
  let isTrusted = false;
  let isAccepted = false;
  const trust = (): void => {
    isTrusted = true;
  };
  const all: ConnectionOptions = { ...settings, servers: [...servers] };
  if (tls !== undefined) all.tls = tlsSettings(tls, servers, trust);
  try {
    const probe = await connect({ ...all, servers: [server], reconnect: false });
    isAccepted = true;
    const maxPayload = probe.info?.max_payload ?? 0;
    await probe.close();
    if (maxPayload < MAX_MESSAGE_BYTES) {
      return new SymmetraError(
        'BUS_TOO_SMALL',
        'the server takes no message as long as the bus needs (max_payload)',
        {
          server,
          maxPayload,
          needed: MAX_MESSAGE_BYTES,
        },
      );
    }
    return await connect(all);
  } catch (error) {
    return startFailure(error, server, isTrusted && !isAccepted);
  }
}

/**
 * nats.js compares the certificate of a server that is named by its IP address with `localhost`. What counts here is
 * that it names one of the servers that the operator listed.
 * @param onTrusted hears that a server's certificate verified
 */
function tlsSettings(
  tls: NatsTls,
  servers: readonly string[],
  onTrusted: () => void,
): NonNullable<ConnectionOptions['tls']> {
  const hosts = servers.map((server) => hostOf(server));
  const settings = {
    ...tls,
    checkServerIdentity: (_host: string, certificate: PeerCertificate): Error | undefined => {
      const errors = hosts.map((host) => checkServerIdentity(host, certificate));
      if (!errors.includes(undefined)) return errors[0];
      onTrusted();
      return undefined;
    },
  };
  return settings;
}

function hostOf(server: string): string {
  const host = server.replace(/^[a-z]+:\/\//, '').replace(PORT, '');
  return host.replace(/^\[|\]$/g, '');
}

function textOf(data: Status['data']): string {
  return typeof data === 'string' ? data : '';
}
