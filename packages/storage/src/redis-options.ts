import { SymmetraError } from '@symmetra/crypto';
import type { RedisOptions } from 'ioredis';

/** Where the master is: one server, or what Sentinels say. */
export type RedisServer =
  /** `redis://host[:port][/database]`, or `rediss://` for TLS. It holds no user and no password. */
  { readonly url: string } | RedisSentinels;

/** Sentinels, and what they are asked for. */
interface RedisSentinels {
  /** Addresses `host[:port]`. */
  readonly sentinels: readonly string[];
  /** The name under which they know the master. */
  readonly master: string;
  /** As whom they are asked, where they want to know; they have users of their own. */
  readonly username?: string;
  readonly password?: string;
}

/** Certificates and key in PEM. */
export interface RedisTls {
  /** Authorities that may vouch for the server; those of the system when left out. */
  readonly ca?: string | Uint8Array;
  /** What this side shows, if the server asks. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

/** How a store is found in Redis, by value: reading files is up to the caller. */
export interface RedisStoreOptions {
  readonly server: RedisServer;
  /**
   * Names the store on the server: 1 to 128 letters, digits and `_.:-`. All its keys are
   * `{prefix}:...`, so that they lie in one slot. The replicas of one node share a prefix; two nodes never do.
   */
  readonly prefix: string;
  readonly username?: string;
  readonly password?: string;
  /** TLS, also without `rediss://`; Sentinels are asked over TLS as well then. */
  readonly tls?: RedisTls;
  /** A version that the store is known to have reached; one that shows an earlier one was set back. */
  readonly reached?: number;
  /** After how many milliseconds a call, or opening the store, fails; 5000 when left out. */
  readonly timeoutMs?: number;
}

/** Where a client of `ioredis` connects, and as whom. */
export type ClientAddress = Omit<RedisOptions, 'replyMapping'>;

/** What `openRedisStore` made of its options. */
export interface RedisSettings {
  readonly client: ClientAddress;
  readonly prefix: string;
  readonly reached: number;
  readonly timeoutMs: number;
  /** Whether a commit must have reached a replica: where Sentinels may make one the master. */
  readonly replicated: boolean;
}

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;
const PREFIX = /^[A-Za-z0-9_.:-]{1,128}$/;
const DATABASE = /^\/?$|^\/(\d{1,5})$/;

/** Checks the options. @throws BAD_CONFIG; the message repeats no address, name or secret. */
export function redisSettings(options: RedisStoreOptions): RedisSettings {
  const { server, prefix, username, password, tls, reached = 0, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!PREFIX.test(prefix)) throw badConfig('prefix', 'a prefix is made of letters, digits and _.:-');
  if (!(timeoutMs > 0)) throw badConfig('timeoutMs', 'a time limit is a positive number of milliseconds');
  if (username !== undefined && password === undefined) {
    throw badConfig('password', 'a user of Redis needs a password');
  }
  const replicated = 'sentinels' in server;
  const place = replicated ? sentinelPlace(server) : urlPlace(server.url);
  const context = tls ?? place.tls;
  return {
    prefix,
    reached,
    timeoutMs,
    replicated,
    client: {
      ...place,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(context !== undefined && { tls: tlsContext(context) }),
      ...(context !== undefined &&
        replicated && { sentinelTLS: tlsContext(context), enableTLSForSentinelMode: true }),
      sentinelCommandTimeout: timeoutMs,
      connectTimeout: timeoutMs,
    },
  };
}

function urlPlace(text: string): ClientAddress & { readonly tls?: RedisTls } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secure = url?.protocol === 'rediss:';
  const database = DATABASE.exec(url?.pathname ?? '');
  if (!url || !(secure || url.protocol === 'redis:') || url.hostname === '' || !database) {
    throw badConfig('url', 'a Redis address is redis://host:port/database, or rediss:// for TLS');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw badConfig('url', 'a Redis address holds no user, no password and no parameters: give them apart');
  }
  return {
    host: hostOf(url),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    db: Number(database[1] ?? 0),
    ...(secure && { tls: {} }),
  };
}

function sentinelPlace({
  sentinels: addresses,
  master,
  username,
  password,
}: RedisSentinels): ClientAddress & { readonly tls?: RedisTls } {
  if (master === '') throw badConfig('master', 'Sentinels know a master by its name');
  if (addresses.length === 0) throw badConfig('sentinels', 'at least one Sentinel is needed');
  if (username !== undefined && password === undefined) {
    throw badConfig('sentinelPassword', 'a user of Sentinels needs a password');
  }
  const sentinels = addresses.map((address) => {
    const url = URL.canParse(`redis://${address}`) ? new URL(`redis://${address}`) : undefined;
    if (!url || url.hostname === '' || url.host !== address.toLowerCase()) {
      throw badConfig('sentinels', 'the address of a Sentinel is host:port');
    }
    return { host: hostOf(url), port: url.port === '' ? DEFAULT_SENTINEL_PORT : Number(url.port) };
  });
  return {
    sentinels,
    name: master,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
  };
}

/** IPv6 addresses stand in brackets in a URL, and without them everywhere else. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function tlsContext({ ca, cert, key }: RedisTls) {
  const pem = (value: string | Uint8Array) => (typeof value === 'string' ? value : Buffer.from(value));
  return {
    ...(ca !== undefined && { ca: pem(ca) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
  };
}

function badConfig(field: string, message: string): SymmetraError {
  return new SymmetraError('BAD_CONFIG', message, { field });
}
