import { Reader, SymmetraError, Writer } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NODES,
  PROTOCOL_VERSION,
  SHORT_ID_LENGTH,
  readCount,
  readNodeId,
} from '../context.js';
import type { SealedTokenSecret } from '../enrolment/token.js';
import { readLimits, writeLimits } from '../pairwise/header.js';
import type { Limits } from '../pairwise/header.js';
import { MAX_MEMBERS } from '../tree/shape.js';

const HASH_LENGTH = 32;
const MAX_LIST = 64;
const MAX_TEXT = 255;
const MAX_SEALED = 4096;

/** What the network allows (CTL-5). A policy replaces the one before it; what it does not allow is refused. */
export interface Policy {
  readonly allowedSuites: readonly number[];
  /** Purposes of pairwise keys; `*` allows any. */
  readonly purposes: readonly string[];
  readonly maximum: Limits;
  /** Whether the first key of two devices must be dealt k = n. */
  readonly firstContactAll: boolean;
  readonly requireDirectKem: boolean;
  /** Stages of a device's workflow, first to last, from {@link FIRST_STAGE} on; a step never goes back. */
  readonly stages: readonly string[];
  /** Stages in which a device may hold pairwise keys and be in groups. */
  readonly keyStages: readonly string[];
  /** GRP-4: most members of a group, up to {@link MAX_MEMBERS}; 0 forbids groups. */
  readonly groupMembers: number;
  /** GRP-10: within how many seconds a device that left or was revoked is out of its groups; 1 to 3600. */
  readonly groupBoundSeconds: number;
}

/** What an event decides (CTL-4). */
export type ControlBody =
  | { readonly kind: 'policy'; readonly policy: Policy }
  | {
      readonly kind: 'token-create';
      readonly tokenId: Uint8Array;
      readonly account: string;
      readonly uses: number;
      readonly expiresMs: number;
      readonly tags: readonly { readonly key: string; readonly value: string }[];
      /** t_i, sealed to each node. */
      readonly secrets: readonly ({ readonly nodeId: string } & SealedTokenSecret)[];
    }
  | { readonly kind: 'device-revoke'; readonly deviceId: Uint8Array; readonly reason: string }
  | { readonly kind: 'key-revoke'; readonly keyId: Uint8Array; readonly reason: string };

/** CTL-3: one decision of the administrators. */
export interface ControlEvent {
  readonly networkId: Uint8Array;
  /** From 1, without gaps. */
  readonly number: number;
  /** Hash of the event before; 32 zero bytes for the first. */
  readonly previousHash: Uint8Array;
  /** The administrator's clock, milliseconds since 1970; for people. */
  readonly timeMs: number;
  readonly body: ControlBody;
}

/** ENR-8: the stage of every device in epoch 0, and so the first of every policy. */
export const FIRST_STAGE = 'bootstrap';

/** CTL-4: most devices that may enrol with one token; a node keeps its answer to each of them in one row. */
export const MAX_TOKEN_USES = 256;

/** CTL-5: seconds; the longest bound that a policy may set for groups. */
export const MAX_GROUP_BOUND_SECONDS = 3600;
/** CTL-5: what holds for groups while no policy says otherwise. */
const GROUP_DEFAULTS = { groupMembers: 10_000, groupBoundSeconds: 10 };

const KINDS = { policy: 1, 'token-create': 2, 'device-revoke': 3, 'key-revoke': 4 } as const;

/** CTL-3: canonical bytes of an event. */
export function encodeEvent(event: ControlEvent): Uint8Array {
  const writer = new Writer()
    .u8(PROTOCOL_VERSION)
    .raw(event.networkId)
    .u64(event.number)
    .raw(event.previousHash)
    .u64(event.timeMs)
    .u8(KINDS[event.body.kind]);
  return writeBody(writer, event.body).finish();
}

function writeBody(writer: Writer, body: ControlBody): Writer {
  switch (body.kind) {
    case 'policy':
      return writePolicy(writer, body.policy);
    case 'token-create':
      return writer
        .raw(body.tokenId)
        .text(body.account)
        .u32(body.uses)
        .u64(body.expiresMs)
        .list(body.tags, (w, tag) => w.text(tag.key).text(tag.value))
        .list(body.secrets, (w, secret) =>
          w.text(secret.nodeId).bytes(secret.ciphertext).bytes(secret.sealed),
        );
    case 'device-revoke':
      return writer.raw(body.deviceId).text(body.reason);
    case 'key-revoke':
      return writer.raw(body.keyId).text(body.reason);
  }
}

/** @throws BAD_ENCODING, WRONG_VERSION, BAD_EVENT */
export function decodeEvent(bytes: Uint8Array): ControlEvent {
  const reader = new Reader(bytes, 'control event');
  const version = reader.u8();
  if (version !== PROTOCOL_VERSION) {
    throw new SymmetraError('WRONG_VERSION', 'the control event is of another protocol version', { version });
  }
  const event: ControlEvent = {
    networkId: reader.raw(SHORT_ID_LENGTH),
    number: readCount(reader),
    previousHash: reader.raw(HASH_LENGTH),
    timeMs: readCount(reader),
    body: readBody(reader, reader.u8()),
  };
  reader.end();
  return event;
}

function readBody(reader: Reader, kind: number): ControlBody {
  switch (kind) {
    case KINDS.policy:
      return { kind: 'policy', policy: readPolicy(reader) };
    case KINDS['token-create']:
      return {
        kind: 'token-create',
        tokenId: reader.raw(SHORT_ID_LENGTH),
        account: reader.text(MAX_NAME_LENGTH),
        uses: readUses(reader),
        expiresMs: readCount(reader),
        tags: reader.list(MAX_LIST, (r) => ({ key: r.text(MAX_NAME_LENGTH), value: r.text(MAX_TEXT) })),
        secrets: reader.list(MAX_NODES, (r) => ({
          nodeId: readNodeId(r),
          ciphertext: r.bytes(MAX_SEALED),
          sealed: r.bytes(MAX_SEALED),
        })),
      };
    case KINDS['device-revoke']:
      return { kind: 'device-revoke', deviceId: reader.raw(DEVICE_ID_LENGTH), reason: reader.text(MAX_TEXT) };
    case KINDS['key-revoke']:
      return { kind: 'key-revoke', keyId: reader.raw(SHORT_ID_LENGTH), reason: reader.text(MAX_TEXT) };
    default:
      throw new SymmetraError('BAD_EVENT', 'the control event is of a kind that is not known here', { kind });
  }
}

function writePolicy(writer: Writer, policy: Policy): Writer {
  writer
    .list(policy.allowedSuites, (w, suite) => w.u8(suite))
    .list(policy.purposes, (w, purpose) => w.text(purpose));
  return writeLimits(writer, policy.maximum)
    .u8(policy.firstContactAll ? 1 : 0)
    .u8(policy.requireDirectKem ? 1 : 0)
    .list(policy.stages, (w, stage) => w.text(stage))
    .list(policy.keyStages, (w, stage) => w.text(stage))
    .u32(policy.groupMembers)
    .u32(policy.groupBoundSeconds);
}

function readPolicy(reader: Reader): Policy {
  const policy: Policy = {
    allowedSuites: reader.list(MAX_LIST, (r) => r.u8()),
    purposes: reader.list(MAX_LIST, (r) => r.text(MAX_NAME_LENGTH)),
    maximum: readLimits(reader),
    firstContactAll: readFlag(reader),
    requireDirectKem: readFlag(reader),
    stages: reader.list(MAX_LIST, (r) => r.text(MAX_NAME_LENGTH)),
    keyStages: reader.list(MAX_LIST, (r) => r.text(MAX_NAME_LENGTH)),
    // A policy that was signed before there were groups ends here.
    ...(reader.atEnd ? GROUP_DEFAULTS : readGroupRules(reader)),
  };
  if (policy.stages[0] !== FIRST_STAGE || policy.maximum.lifetimeSeconds === 0) {
    throw new SymmetraError(
      'BAD_EVENT',
      `a policy begins with stage ${FIRST_STAGE} and has a largest lifetime`,
    );
  }
  return policy;
}

function readGroupRules(reader: Reader): typeof GROUP_DEFAULTS {
  const groupMembers = reader.u32();
  const groupBoundSeconds = reader.u32();
  if (groupMembers > MAX_MEMBERS) {
    throw new SymmetraError('BAD_EVENT', `a group has at most ${MAX_MEMBERS} members`, {
      groupMembers,
    });
  }
  if (groupBoundSeconds < 1 || groupBoundSeconds > MAX_GROUP_BOUND_SECONDS) {
    throw new SymmetraError('BAD_EVENT', `the bound of groups is 1 to ${MAX_GROUP_BOUND_SECONDS} seconds`, {
      groupBoundSeconds,
    });
  }
  return { groupMembers, groupBoundSeconds };
}

function readUses(reader: Reader): number {
  const uses = reader.u32();
  if (uses < 1 || uses > MAX_TOKEN_USES) {
    throw new SymmetraError('BAD_EVENT', `a token serves 1 to ${MAX_TOKEN_USES} devices`, { uses });
  }
  return uses;
}

function readFlag(reader: Reader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw new SymmetraError('BAD_ENCODING', 'a flag is 0 or 1');
  return flag === 1;
}

/** CTL-5: the policy that a new network begins with. */
export const DEFAULT_POLICY: Policy = {
  allowedSuites: [1, 2, 3],
  purposes: ['*'],
  maximum: { lifetimeSeconds: 30 * 24 * 3600, uses: 0 },
  firstContactAll: false,
  requireDirectKem: false,
  stages: [FIRST_STAGE, 'production'],
  keyStages: ['production'],
  ...GROUP_DEFAULTS,
};

/**
 * ATK-4: the stage granted: the one asked if it is the next after the present one, else the present one. A stage that the
 * policy no longer names stays as it is.
 */
export function grantStage(policy: Policy, present: string, asked: string): string {
  const at = policy.stages.indexOf(present);
  const to = policy.stages.indexOf(asked);
  return at >= 0 && to === at + 1 ? asked : present;
}
