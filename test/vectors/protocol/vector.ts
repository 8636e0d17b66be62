import type { Suite } from '@symmetra/crypto';
import type { ProtocolContext } from '@symmetra/protocol';
import { HAND_SUITES, hex, sha256, u32, utf8 } from './by-hand.js';
import type { HandSuite } from './by-hand.js';

/** A vector: values by name, bytes in hexadecimal, grouped by the protocol's step numbers. */
export type Vector = { readonly [name: string]: string | number | Vector };

/** What a flow is built with: a suite table on some back end, and the same suite by hand. */
export interface Bench {
  readonly context: ProtocolContext;
  readonly suite: Suite;
  readonly hand: HandSuite;
}

export const NETWORK_ID = fixed('network id', 16);

export function bench(suites: ProtocolContext['suites'], id: number): Bench {
  const hand = HAND_SUITES.find((suite) => suite.id === id);
  if (hand === undefined) throw new Error(`suite ${id} is not written down by hand`);
  return { context: { networkId: NETWORK_ID, suites }, suite: suites.get(id), hand };
}

/** Fixed input bytes: SHA-256(name, 0) || SHA-256(name, 1) || ..., so that anybody can make them again. */
export function fixed(name: string, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(utf8(name), u32(i)));
  return new Uint8Array(Buffer.concat(blocks)).slice(0, length);
}

/** The value that the protocol and the computation by hand agree on. */
export function agreed(what: string, protocol: Uint8Array, byHand: Uint8Array): string {
  if (hex(protocol) !== hex(byHand)) {
    throw new Error(`${what}: the protocol gives ${hex(protocol)}, the formula ${hex(byHand)}`);
  }
  return hex(byHand);
}

/** Hexadecimal values of a record of bytes. */
export function hexes(values: Readonly<Record<string, Uint8Array>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hex(value)]));
}
