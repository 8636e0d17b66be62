import { SymmetraError } from '@symmetra/crypto';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType as AdminProto } from './generated/admin.js';
import type { ProtoGrpcType as EnrolmentProto } from './generated/enrolment.js';
import type { ProtoGrpcType as EntropyProto } from './generated/entropy.js';
import type { ProtoGrpcType as HealthProto } from './generated/health.js';
import type { ProtoGrpcType as LinkProto } from './generated/link.js';
import type { ProtoGrpcType as NetworkProto } from './generated/network.js';
import type { ProtoGrpcType as RatchetProto } from './generated/ratchet.js';
import type { ProtoGrpcType as SessionProto } from './generated/session.js';
import { messageDefinition } from './loader.js';

type Packages = AdminProto['symmetra'] &
  EnrolmentProto['symmetra'] &
  EntropyProto['symmetra'] &
  LinkProto['symmetra'] &
  NetworkProto['symmetra'] &
  RatchetProto['symmetra'] &
  SessionProto['symmetra'];

type MessagesOf<Package extends string, Entries> = {
  [
    Name in keyof Entries & string as Entries[Name] extends { format: 'Protocol Buffer 3 DescriptorProto' }
      ? `${Package}.${Name}`
      : never
  ]: Entries[Name];
};

type Definitions = MessagesOf<'symmetra.admin.v1', Packages['admin']['v1']> &
  MessagesOf<'symmetra.enrolment.v1', Packages['enrolment']['v1']> &
  MessagesOf<'symmetra.entropy.v1', Packages['entropy']['v1']> &
  MessagesOf<'symmetra.link.v1', Packages['link']['v1']> &
  MessagesOf<'symmetra.network.v1', Packages['network']['v1']> &
  MessagesOf<'symmetra.group.v1', Packages['group']['v1']> &
  MessagesOf<'symmetra.pairwise.v1', Packages['pairwise']['v1']> &
  MessagesOf<'symmetra.ratchet.v1', Packages['ratchet']['v1']> &
  MessagesOf<'symmetra.sealed.v1', Packages['sealed']['v1']> &
  MessagesOf<'symmetra.session.v1', Packages['session']['v1']> &
  MessagesOf<'grpc.health.v1', HealthProto['grpc']['health']['v1']>;

/** Full name of a message type, for example symmetra.pairwise.v1.NegotiateRequest. */
export type MessageName = keyof Definitions;

/** What {@link encode} takes for a type: every field may be left out. */
export type MessageInput<Name extends MessageName> =
  Definitions[Name] extends MessageTypeDefinition<infer Input, infer _Output> ? Input : never;

/** What {@link decode} gives for a type: absent fields hold their defaults. */
export type Message<Name extends MessageName> =
  Definitions[Name] extends MessageTypeDefinition<infer _Input, infer Output> ? Output : never;

/** No message of any type may be longer, in bytes. Limits per method are tighter: methods.ts. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * Protobuf bytes of a message.
 * @throws SymmetraError BAD_MESSAGE when the object does not fit the type, MESSAGE_TOO_LARGE.
 */
export function encode<Name extends MessageName>(typeName: Name, message: MessageInput<Name>): Uint8Array {
  const definition = definitionOf(typeName);
  let bytes: Uint8Array;
  try {
    bytes = definition.serialize(message as object);
  } catch (error) {
    throw badMessage(typeName, error);
  }
  checkLength(typeName, bytes.length);
  return bytes;
}

/**
 * The message in protobuf bytes; unknown fields are ignored. Byte fields are views on `bytes`. A
 * 64-bit integer above 2^53 - 1 arrives rounded: where it matters, test with Number.isSafeInteger.
 * @throws SymmetraError BAD_MESSAGE when the bytes are not of the type, MESSAGE_TOO_LARGE.
 */
export function decode<Name extends MessageName>(typeName: Name, bytes: Uint8Array): Message<Name> {
  const definition = definitionOf(typeName);
  checkLength(typeName, bytes.length);
  try {
    return definition.deserialize(asBuffer(bytes)) as Message<Name>;
  } catch (error) {
    throw badMessage(typeName, error);
  }
}

/** The same bytes as a Buffer, without a copy: the form that gRPC and protobuf want. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function definitionOf(typeName: string): MessageTypeDefinition<object, object> {
  const definition = messageDefinition(typeName);
  if (definition === undefined) {
    throw new SymmetraError('BAD_MESSAGE', 'there is no such message type', { type: typeName });
  }
  return definition;
}

function checkLength(typeName: string, length: number): void {
  if (length > MAX_MESSAGE_BYTES) {
    throw new SymmetraError('MESSAGE_TOO_LARGE', 'the message is longer than any message may be', {
      type: typeName,
      bytes: length,
      maxBytes: MAX_MESSAGE_BYTES,
    });
  }
}

function badMessage(typeName: string, cause: unknown): SymmetraError {
  return new SymmetraError(
    'BAD_MESSAGE',
    `the message is not a valid ${typeName}`,
    { type: typeName },
    { cause },
  );
}
