import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

const MAX_ADVERTISED = 4;
const WILDCARDS = new Set(['0.0.0.0', '::']);
const LOOPBACK = '127.0.0.1';

/** A host and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, an IPv6 address in brackets. */
function formatAddress({ host, port }: Endpoint): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host:port`; undefined when it is none. */
export function parseAddress(text: string): Endpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

/** The addresses at which peers find a listener: its own, or for all interfaces those that others can reach. */
export function advertisedAddresses({ host, port }: Endpoint): readonly string[] {
  if (!WILDCARDS.has(host)) return [formatAddress({ host, port })];
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && address.scopeid === undefined)
    .map((address) => address.address)
    .filter((address) => host === '::' || isIP(address) === 4);
  const hosts = outside.length > 0 ? outside.slice(0, MAX_ADVERTISED) : [LOOPBACK];
  return hosts.map((one) => formatAddress({ host: one, port }));
}
