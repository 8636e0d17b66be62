import { SymmetraError, Writer, sha256, utf8 } from '@symmetra/crypto';
import type { KdfContext, SuiteTable, Reader } from '@symmetra/crypto';

/** Version of the wire protocol; it stands first in every handshake message. */
export const PROTOCOL_VERSION = 1;
/** Bytes of a device id (ENR-1). */
export const DEVICE_ID_LENGTH = 32;
/** Bytes of a token id, a session id and a key id. */
export const SHORT_ID_LENGTH = 16;
/** Bytes of a fresh nonce. */
export const NONCE_LENGTH = 32;
/** Longest node id, stage, purpose, account or name, in bytes of UTF-8. */
export const MAX_NAME_LENGTH = 64;
/** Most nodes that a network may have. */
export const MAX_NODES = 16;

const NODE_ID = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

/** What every flow of one network needs: its id, and the suites that this party knows. */
export interface ProtocolContext {
  /** 16 bytes. */
  readonly networkId: Uint8Array;
  readonly suites: SuiteTable;
}

/**
 * The result of one step of a state machine. The caller persists `state` first, sends `output` second,
 * and wipes `consumed` last.
 */
export interface Step<State, Output> {
  readonly state: State;
  readonly output: Output;
  readonly consumed: readonly { wipe(): void }[];
}

/** The derivation context between a device and a node (protocol section 2). */
export function deviceNodeContext(
  context: ProtocolContext,
  deviceId: Uint8Array,
  nodeId: string,
  epoch: Uint8Array,
  transcriptHash: Uint8Array,
): KdfContext {
  return {
    networkId: context.networkId,
    initiator: deviceId,
    responder: utf8(nodeId),
    epoch,
    transcriptHash,
  };
}

/** A number as 8 bytes, big-endian. */
export function u64(n: number | bigint): Uint8Array {
  return new Writer().u64(n).finish();
}

/** Reads a u64 that must be a safe integer: an epoch, a counter, a version. @throws BAD_ENCODING */
export function readCount(reader: Reader): number {
  const value = reader.u64();
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new SymmetraError('BAD_ENCODING', 'a counter is larger than 2^53 - 1');
  }
  return Number(value);
}

/** Reads and checks a node id: 1 to 64 of a-z, 0-9 and inner hyphens. @throws BAD_ENCODING */
export function readNodeId(reader: Reader): string {
  const id = reader.text(MAX_NAME_LENGTH);
  if (!NODE_ID.test(id)) {
    throw new SymmetraError('BAD_ENCODING', 'a node id has characters that are not allowed');
  }
  return id;
}

/** Reads the fields that every handshake message begins with, and checks them. @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function readPreamble(context: ProtocolContext, reader: Reader): void {
  const version = reader.u8();
  if (version !== PROTOCOL_VERSION) {
    throw new SymmetraError('WRONG_VERSION', 'the message is of another protocol version', { version });
  }
  const networkId = reader.raw(SHORT_ID_LENGTH);
  if (!networkId.every((byte, i) => byte === context.networkId[i])) {
    throw new SymmetraError('WRONG_NETWORK', 'the message belongs to another network');
  }
}

/** Starts a handshake message: version and network id. */
export function preamble(context: ProtocolContext): Writer {
  return new Writer().u8(PROTOCOL_VERSION).raw(context.networkId);
}

/** SHA-256 with a domain, over fields that the writer framed. */
export function domainHash(label: Uint8Array, fields: Uint8Array): Uint8Array {
  return sha256(new Writer().bytes(label).raw(fields).finish());
}
