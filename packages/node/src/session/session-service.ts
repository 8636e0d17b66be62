import { SymmetraError } from '@symmetra/crypto';
import { inspectOpen, receiveOpen } from '@symmetra/protocol';
import type { OpenOutcome, SessionEnd } from '@symmetra/protocol';
import type { RandomBytes } from '@symmetra/entropy';
import { decode, encode } from '@symmetra/rpc';
import type { OpenReplyInput } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry, RowStep } from '../devices/device-registry.js';
import type { DeviceRow } from '../devices/device-row.js';
import type { Presences } from '../presence/presences.js';
import { Session, sessionIdAt, sessionLost } from '../presence/session-table.js';
import type { SessionTable } from '../presence/session-table.js';
import type { Challenges } from '../ratchet/challenges.js';
import { hexOf } from '../rows/row-keys.js';
import type { CallPath, SealedOutcome } from './sealed-handler.js';
import type { Synchronisation } from './synchronisation.js';

const LIFETIME_SECONDS = 3600;
const MAX_MESSAGES = 2 ** 32;
const MAX_ADDRESSES = 8;
const MAX_ADDRESS_CHARS = 255;
const EMPTY_REPLY = new Uint8Array(0);

export interface SessionServiceParts {
  /** Names this process: the first four bytes of the ids of its sessions. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
  readonly sessions: SessionTable;
  readonly presences: Presences;
  readonly challenges: Challenges;
  readonly synchronisation: Synchronisation;
}

/** Opening, attaching and closing (SES-1 to SES-8). */
export class SessionService {
  readonly #parts: SessionServiceParts;

  constructor(parts: SessionServiceParts) {
    this.#parts = parts;
  }

  /**
   * SES-2, SES-3: opens a session, or challenges a party that shows a place which the chain has left.
   * @throws DEVICE_UNKNOWN, DEVICE_REVOKED, SUITE_FORBIDDEN, EPOCH_UNUSED, CHAIN_BOUND, AUTHENTICATION_FAILED,
   *   WRONG_NODE, WRONG_NETWORK, WRONG_VERSION, BAD_ENCODING
   */
  async open(open: Uint8Array): Promise<OpenReplyInput<'open'>> {
    const { instance, clock, random, state, devices, sessions, challenges } = this.#parts;
    const { deviceId, suiteId } = inspectOpen(state.context, open);
    const deviceHex = hexOf(deviceId);
    this.#checkRevocation(deviceHex);
    if (!state.allowsSuite(suiteId)) {
      throw new SymmetraError('SUITE_FORBIDDEN', `policy forbids suite ${suiteId}`, { suite: suiteId });
    }
    const grant = {
      entropy: random(32),
      lifetimeSeconds: LIFETIME_SECONDS,
      maxMessages: MAX_MESSAGES,
      clockMs: clock.now(),
    };
    const step = (row: DeviceRow): RowStep<Opening> => {
      const fresh = { sessionId: sessionIdAt(instance, random), nonce: random(32) };
      const { state: chain, output } = receiveOpen(state.context, row.chain, open, grant, fresh);
      if (output.kind === 'challenge') return { row, output: challenges.issue(deviceHex, row.chain) };
      return { row: { ...row, chain }, output };
    };
    const outcome = await devices.update(deviceHex, step, discard).finally(() => grant.entropy.fill(0));
    if (outcome instanceof Uint8Array) return { challenge: outcome };
    const session = new Session(
      outcome.session,
      deviceId,
      suiteId,
      clock.monotonic() + LIFETIME_SECONDS * 1000,
    );
    if (state.isDeviceRevoked(deviceHex)) outcome.session.wipe();
    this.#checkRevocation(deviceHex);
    sessions.add(session);
    return { answer: outcome.answer };
  }

  /**
   * SES-7: the device says where its home is; what it missed follows the reply.
   * @throws BAD_MESSAGE, NODE_UNKNOWN, LINK_NOT_BOUND, MESSAGE_REPLAYED, STATE_CONFLICT
   */
  async attach(
    session: Session,
    plaintext: Uint8Array,
    path: CallPath | undefined,
    seq: number,
  ): Promise<SealedOutcome> {
    const { state, devices, sessions, presences, synchronisation } = this.#parts;
    const { home, addresses, lastEvent } = decode('symmetra.session.v1.AttachRequest', plaintext);
    if (!state.brokerRules.nodes.includes(home)) {
      throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such home node');
    }
    if (addresses.length > MAX_ADDRESSES || addresses.some((address) => address.length > MAX_ADDRESS_CHARS)) {
      throw new SymmetraError('BAD_MESSAGE', 'too many addresses, or too long ones', {
        limit: MAX_ADDRESSES,
      });
    }
    const standing = await devices.standing(session.deviceHex);
    if (!sessions.has(session)) throw sessionLost();
    session.takeAttach(seq);
    const isHome = home === state.identity.id;
    if (isHome) path?.bind(session.deviceHex);
    const linkAt = isHome ? path?.instance : undefined;
    const wasKnown = await presences.attach({ session, home, linkAt, addresses });
    if (!sessions.has(session)) throw sessionLost();
    const behind = !wasKnown || lastEvent === 0 || lastEvent !== session.lastEvent;
    const reply = encode('symmetra.session.v1.AttachResponse', {
      lastEvent: session.lastEvent,
      descriptorVersion: state.descriptor.version,
      stage: standing?.stage ?? '',
    });
    return { reply, after: () => void synchronisation.run(session, behind) };
  }

  /** SES-8: the session ends behind the reply. */
  close(session: Session): SealedOutcome {
    return { reply: EMPTY_REPLY, after: () => this.#parts.sessions.remove(session) };
  }

  #checkRevocation(deviceHex: string): void {
    if (this.#parts.state.isDeviceRevoked(deviceHex)) {
      throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
    }
  }
}

/** A session with its answer, or a challenge. */
type Opening = Extract<OpenOutcome, { kind: 'opened' }> | Uint8Array;

function discard(outcome: Opening): void {
  if (outcome instanceof Uint8Array) return;
  const { session }: { session: SessionEnd } = outcome;
  session.wipe();
}
