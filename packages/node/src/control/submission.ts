import { SymmetraError } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { decodeEvent } from '@symmetra/protocol';
import type { SignedEvent } from '@symmetra/protocol';
import { decode, encode, publicCode } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { ControlLog } from './control-log.js';
import type { Heartbeats } from './heartbeats.js';
import { fromNotice, toNotice } from './notice.js';
import type { Siblings } from '../replicas/siblings.js';
import type { PeerLogs } from './peer-logs.js';
import type { StreamFollower } from './stream-follower.js';

const CONTROL_SUBJECT = 'control';
/** From one process of a node to the others. */
const HERE_SUBJECT = 'control-here';
const RECEIPT_TIMEOUT_MS = 5000;
/** CTL-3: a process that does not answer must not cost the node its receipt. */
const HERE_TIMEOUT_MS = 2000;
const UNREACHED = new Set(['INSTANCE_GONE', 'BUS_TIMEOUT']);
/** For how long an event is tried to be given its place while other entries keep coming first, and how often at most. */
const ORDER_MS = 4000;
const MAX_ATTEMPTS = 1000;
const DONE = new Uint8Array(0);

/** Whether a node has an event in force. */
interface Receipt {
  readonly node: string;
  readonly applied: boolean;
  /** Why not; empty when it is applied. */
  readonly code: string;
}

/** What became of an administrator's event. */
export interface Submitted {
  readonly number: number;
  /** One for each node. */
  readonly receipts: readonly Receipt[];
}

export interface SubmissionParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: ControlLog;
  readonly stream: StreamFollower;
  readonly peers: PeerLogs;
  readonly siblings: Siblings;
  readonly heartbeats: Heartbeats;
}

/** CTL-3, CTL-8: takes events of administrators, and has all nodes apply them. */
export class Submission {
  readonly #parts: SubmissionParts;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
    const { bus } = parts;
    bus.serve(CONTROL_SUBJECT, async (from, payload) => {
      try {
        await this.#receive(from, payload);
      } finally {
        await this.#tellHere(payload);
      }
      return DONE;
    });
    bus.serve(HERE_SUBJECT, async (from, payload) => {
      await this.#receive(from, payload);
      return DONE;
    });
  }

  /**
   * Appends an event to the ordered log, then applies it here and at every other node that answers in time.
   * @throws EVENT_CONFLICT when another event has its number, LOG_UNAVAILABLE when the ordered log can not be reached, and
   *   what {@link ControlLog.apply} throws
   */
  async submit(signed: SignedEvent): Promise<Submitted> {
    const { bus, log, peers } = this.#parts;
    await this.#order(signed);
    await log.apply(signed);
    const payload = encode('symmetra.link.v1.ControlNotice', toNotice(signed));
    const others = peers.peers.map(async (node): Promise<Receipt> => {
      try {
        await bus.request(node, CONTROL_SUBJECT, payload, { timeoutMs: RECEIPT_TIMEOUT_MS });
        return { node, applied: true, code: '' };
      } catch (error) {
        return notApplied(node, error);
      }
    });
    const own = this.#tellHere(payload).then(
      () => ({ node: bus.self, applied: true, code: '' }),
      (error: unknown) => notApplied(bus.self, error),
    );
    return { number: decodeEvent(signed.event).number, receipts: await Promise.all([own, ...others]) };
  }

  /**
   * Has the other processes of this node apply an event; those that are gone or do not answer were not reached.
   * @throws what another one could not apply it for
   */
  async #tellHere(payload: Uint8Array): Promise<void> {
    const { siblings } = this.#parts;
    const told = siblings.others.map(async (instance) => {
      try {
        await siblings.request(instance, HERE_SUBJECT, payload, HERE_TIMEOUT_MS);
      } catch (error) {
        if (!UNREACHED.has(publicCode(error))) throw error;
      }
    });
    const failure = (await Promise.allSettled(told)).find((one) => one.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  /** Gives the event its place, unless it has it. */
  async #order(signed: SignedEvent): Promise<void> {
    const { clock, log, stream } = this.#parts;
    const untilMs = clock.monotonic() + ORDER_MS;
    for (let attempt = 0; attempt < MAX_ATTEMPTS && clock.monotonic() < untilMs; attempt++) {
      if (!(await this.#isNext(signed))) return;
      await this.#askOthers();
      try {
        await stream.append(signed);
        return;
      } catch (error) {
        if (!(error instanceof SymmetraError) || error.code !== 'LOG_MOVED') throw error;
      }
    }
    if (!(await log.check(signed))) return;
    throw new SymmetraError('STATE_CONFLICT', 'the control log kept changing; try again');
  }

  /** CTL-8: a log that lost its end says nothing of it to a node that never read that; the other nodes do. */
  async #askOthers(): Promise<void> {
    const { heartbeats, stream } = this.#parts;
    if (await heartbeats.catchUp(stream.unbrokenSinceMs)) return;
    throw new SymmetraError('LOG_UNAVAILABLE', 'too few other nodes say what they have of the control log');
  }

  /** As {@link ControlLog.check}, once more after a look for what was missed. */
  async #isNext(signed: SignedEvent): Promise<boolean> {
    const { log, stream, peers } = this.#parts;
    try {
      return await log.check(signed);
    } catch (error) {
      if (!isOutOfPlace(error)) throw error;
    }
    await stream.look();
    await peers.catchUpAll();
    return log.check(signed);
  }

  async #receive(from: string, payload: Uint8Array): Promise<void> {
    const { bus, log, peers } = this.#parts;
    const signed = fromNotice(decode('symmetra.link.v1.ControlNotice', payload));
    try {
      try {
        await log.apply(signed);
      } catch (error) {
        if (!isOutOfPlace(error)) throw error;
        await peers.catchUpAll(from);
        await log.apply(signed);
      }
    } catch (error) {
      // What a process of this node hands on unseen it has noted itself.
      if (from !== bus.self) peers.noteForged(from, error);
      throw error;
    }
  }
}

function notApplied(node: string, error: unknown): Receipt {
  return { node, applied: false, code: publicCode(error) };
}

function isOutOfPlace(error: unknown): boolean {
  return error instanceof SymmetraError && ['LOG_GAP', 'LOG_BROKEN'].includes(error.code);
}
