import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  EMPTY_LOG,
  encodeEvent,
  eventHash,
  signEvent,
  verifyEvent,
} from '@symmetra/protocol';
import type { ControlBody, DescriptorNode, LogHead, Policy, SignedEvent } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import type { AdministratorKey } from './administrator-key.js';
import type { AdminReplyBody, NodeCalls } from './node-calls.js';

const ATTEMPTS = 5;
const PAUSE_MS = 250;
const PAGE = 50;
/** CTL-5: what a new network begins with. */
const DEFAULT: ControlBody = { kind: 'policy', policy: DEFAULT_POLICY };

/** What a node said of an event. */
interface Receipt {
  readonly node: string;
  readonly applied: boolean;
  /** Why it is not applied. */
  readonly code?: string;
}

/** An event that the network took. */
export interface Appended {
  readonly number: number;
  /** One per node of the descriptor. */
  readonly receipts: readonly Receipt[];
}

/** An event, and the number that it was signed for. */
interface SignedAt {
  readonly number: number;
  readonly signed: SignedEvent;
}

/** The policy in force. */
export interface PolicyRead {
  readonly revision: number;
  readonly policy: Policy;
}

/** Refusals that mean: the log has moved on, and this event has no place in it. */
const MOVED_ON = new Set(['LOG_BROKEN', 'EVENT_CONFLICT']);
/** Failures after which the same bytes may be sent again. */
const AGAIN = new Set([
  'LOG_GAP',
  'LOG_UNAVAILABLE',
  'STATE_CONFLICT',
  'DEADLINE_EXCEEDED',
  'NODE_UNREACHABLE',
  'NODE_STALE',
  'TRANSPORT_FAILED',
]);

/** The control log as an administrator sees it: appends events and reads policy (CTL-3 to CTL-6). */
export class ControlLog {
  readonly #calls: NodeCalls;
  readonly #key: AdministratorKey;
  readonly #clock: Clock;

  constructor(calls: NodeCalls, key: AdministratorKey, clock: Clock) {
    this.#calls = calls;
    this.#key = key;
    this.#clock = clock;
  }

  /**
   * Appends an event, in a new network behind the default policy. Whoever calls it holds the lock of the
   * administrator's key, so that no two events of one number are signed. Once an event may have reached a node, only the same bytes are sent for its number.
   * @throws NODES_UNREACHABLE when fewer than k nodes tell their head, LOG_BUSY when others kept appending, and what
   *   the node answers
   */
  async append(body: ControlBody): Promise<Appended> {
    let last: SignedAt | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { head, node } = await this.#newestHead();
      if (head.number === 0 && body.kind !== 'policy') {
        await this.append(DEFAULT);
        continue;
      }
      // CTL-8: another event is signed only once a node says that the number has one.
      if (last === undefined || head.number >= last.number) last = this.#sign(body, head);
      const appended = await this.#submit(node, last.signed);
      if (appended !== 'moved on') return this.#completed(appended);
      await this.#pause(attempt);
    }
    throw new SymmetraError('LOG_BUSY', 'other administrators kept changing the control log; try again');
  }

  /**
   * The newest policy in the log, with every event from the head back to it verified; the default one when it is empty.
   * @throws NODES_UNREACHABLE, LOG_BROKEN, NO_POLICY
   */
  async policy(): Promise<PolicyRead> {
    const { head, node } = await this.#newestHead();
    if (head.number === 0) return { revision: 0, policy: DEFAULT_POLICY };
    let expected = head;
    while (expected.number > 0) {
      const from = Math.max(1, expected.number - PAGE + 1);
      const events = await this.#events(node, from);
      const page = events.slice(0, expected.number - from + 1).toReversed();
      if (page.length === 0) break;
      for (const signed of page) {
        const event = verifyEvent(this.#calls.descriptor, signed);
        if (event.number !== expected.number || !equalConstantTime(eventHash(signed.event), expected.hash)) {
          throw new SymmetraError('LOG_BROKEN', "the node's control log does not lead to its head", {
            number: expected.number,
          });
        }
        if (event.body.kind === 'policy') return { revision: event.number, policy: event.body.policy };
        expected = { number: event.number - 1, hash: event.previousHash };
      }
    }
    throw new SymmetraError('NO_POLICY', 'the control log holds no policy');
  }

  /** A page of the log; a node that began with a snapshot may not have it yet (CTL-9). */
  async #events(first: DescriptorNode, from: number): Promise<AdminReplyBody<'ListEvents'>['events']> {
    const others = this.#calls.descriptor.nodes.filter((node) => node.id !== first.id);
    let failure: unknown;
    for (const node of [first, ...others]) {
      try {
        return (await this.#calls.call(node, 'ListEvents', { from, limit: PAGE })).events;
      } catch (error) {
        failure ??= error;
        if (!(error instanceof SymmetraError) || error.code !== 'LOG_PRUNED') throw failure;
      }
    }
    throw failure;
  }

  #sign(body: ControlBody, head: LogHead): SignedAt {
    const number = head.number + 1;
    const event = encodeEvent({
      networkId: this.#calls.descriptor.networkId,
      number,
      previousHash: head.hash,
      timeMs: this.#clock.now(),
      body,
    });
    const signatures = [signEvent(event, this.#key.secretKey, this.#key.publicKey)];
    return { number, signed: { event, signatures } };
  }

  /** Brings the event to a node, first to the one whose log is the longest. */
  async #submit(first: DescriptorNode, signed: SignedEvent): Promise<Appended | 'moved on'> {
    const others = this.#calls.descriptor.nodes.filter((node) => node.id !== first.id);
    let failure: unknown;
    for (const [attempt, node] of [first, first, ...others].entries()) {
      try {
        const { number, receipts } = await this.#calls.call(node, 'Submit', { event: toNotice(signed) });
        return { number, receipts: receipts.map(toReceipt) };
      } catch (error) {
        failure = error;
        const code = error instanceof SymmetraError ? error.code : '';
        if (MOVED_ON.has(code)) return 'moved on';
        if (!AGAIN.has(code)) throw error;
        await this.#pause(attempt);
      }
    }
    throw failure;
  }

  /** Puts a line for each node that the receipts leave out. */
  #completed({ number, receipts }: Appended): Appended {
    const silent = this.#calls.descriptor.nodes
      .filter(({ id }) => !receipts.some((receipt) => receipt.node === id))
      .map(({ id }) => ({ node: id, applied: false, code: 'NO_RECEIPT' }));
    return { number, receipts: [...receipts, ...silent] };
  }

  async #newestHead(): Promise<{ readonly head: LogHead; readonly node: DescriptorNode }> {
    const { nodes, threshold } = this.#calls.descriptor;
    const outcomes = await Promise.allSettled(
      nodes.map(async (node) => {
        const { number, head } = await this.#calls.call(node, 'GetHead', {});
        return { node, head: number === 0 ? EMPTY_LOG : { number, hash: head } };
      }),
    );
    const heads = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const [newest] = heads.toSorted((a, b) => b.head.number - a.head.number);
    if (newest === undefined || heads.length < threshold) {
      const refusal = outcomes.find((one) => one.status === 'rejected' && isRefusal(one.reason));
      if (refusal?.status === 'rejected') throw refusal.reason;
      throw new SymmetraError(
        'NODES_UNREACHABLE',
        `only ${heads.length} of ${nodes.length} nodes answer, ${threshold} are needed; is the network up?`,
        { found: heads.length, needed: threshold },
      );
    }
    return newest;
  }

  async #pause(attempt: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(PAUSE_MS * (attempt + 1), resolve);
    });
  }
}

/** Whether a node answered, and the answer is about the administrator and not about the node's condition. */
function isRefusal(error: unknown): boolean {
  const refusals = [
    'ADMINISTRATOR_UNKNOWN',
    'NOT_AN_ADMINISTRATOR',
    'REQUEST_STALE',
    'CLOCK_SKEW',
    'BAD_SIGNATURE',
  ];
  return error instanceof SymmetraError && refusals.includes(error.code);
}

function toNotice({ event, signatures }: SignedEvent): {
  event: Uint8Array;
  signatures: SignedEvent['signatures'][number][];
} {
  return { event, signatures: [...signatures] };
}

function toReceipt({ node, applied, code }: { node: string; applied: boolean; code: string }): Receipt {
  return { node, applied, ...(!applied && { code: code === '' ? 'NO_RECEIPT' : code }) };
}
