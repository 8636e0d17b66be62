import { SymmetraError, sha256, toHex, utf8 } from '@symmetra/crypto';
import type { Message, MessageInput, PlaintextReply, PlaintextRequest, SealedMethod } from '@symmetra/rpc';
import { fractionOf, pauseMs } from '../backoff.js';
import { asSymmetraError, codeOf, isTransportFailure, mostTelling } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeRoutes } from '../network/node-routes.js';
import { deviceClosed } from '../timers.js';
import { Attachments } from './attachments.js';
import type { AttachmentParts } from './attachments.js';
import { HomeDoubts } from './home-doubts.js';
import { HomeLink } from './home-link.js';
import type { LinkListener } from './home-link.js';
import { Waiters } from './waiters.js';

/** How long a call waits for a link. */
const LINK_WAIT_MS = 10_000;
/** How long {@link Connection.connect} waits for enough nodes. */
const CONNECT_MS = 30_000;
const CLOSE = '/symmetra.session.v1.SessionService/Close';
const LEAVE_MS = 300;
/**
 * What a call comes to that the home did not carry, or whose reply it did not bring. A home that is cut off from a node
 * says of each new session there that it is lost.
 */
const UNANSWERED = new Set(['DEADLINE_EXCEEDED', 'NODE_UNREACHABLE', 'SESSION_LOST']);
const RETRY = { firstMs: 500, maxMs: 30_000 };
/** After so many rounds without any home, whoever waits for one is told why. */
const ROUNDS_BEFORE_TELLING = 2;

/** What the connection needs. */
export interface ConnectionParts extends Omit<AttachmentParts, 'onDescriptorVersion' | 'onOutcome'> {
  readonly routes: NodeRoutes;
  readonly descriptors: Descriptors;
  readonly deviceId: Uint8Array;
  /** What the home passes on for groups. */
  readonly groups: Pick<LinkListener, 'broadcast' | 'groupMessage'>;
  /** A home was found: what was not delivered can be sent again. */
  readonly onBound: () => void;
}

/**
 * Keeps the device connected: one link to a home node, and a session with every node through it. When the home fails
 * or withholds, the next one is taken, with growing pauses when none is left.
 */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #attachments: Attachments;
  readonly #doubts: HomeDoubts;
  readonly #linkWaiters = new Waiters();
  readonly #readyWaiters = new Waiters();
  readonly #called = new Waiters();
  readonly #failures = new Map<string, SymmetraError>();
  #link: HomeLink | undefined;
  #running = false;
  #closed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#doubts = new HomeDoubts(parts);
    this.#attachments = new Attachments({
      ...parts,
      onDescriptorVersion: (version) => void this.#followDescriptor(version),
      onOutcome: (nodeId, error) => this.#note(nodeId, error),
    });
  }

  /** The home node, while the device is attached to one. */
  get home(): string | undefined {
    return this.#link?.home;
  }

  /**
   * Connects, and stays connected from then on. Fulfilled when enough nodes for a key know the device's home.
   * @throws NODE_UNREACHABLE, DEVICE_REVOKED, NOT_ENROLLED or what else keeps the device out; it goes on trying
   */
  async connect(): Promise<void> {
    this.#start();
    if (this.#isReady()) return;
    await this.#parts.timers.within(CONNECT_MS, this.#readyWaiters.wait(), () => this.#reason());
  }

  /** Makes a sealed call to a node. @throws NodeRefusal, and what did not get through */
  async call<Method extends SealedMethod>(
    nodeId: string,
    method: Method,
    request: MessageInput<PlaintextRequest<Method>>,
  ): Promise<Message<PlaintextReply<Method>>> {
    return this.#callOn(await this.#boundLink(), nodeId, method, request);
  }

  /** Makes a sealed call to the home node. @throws as {@link Connection.call} */
  async callHome<Method extends SealedMethod>(
    method: Method,
    request: MessageInput<PlaintextRequest<Method>>,
  ): Promise<Message<PlaintextReply<Method>>> {
    const link = await this.#boundLink();
    return this.#callOn(link, link.home, method, request);
  }

  /** Asks nodes again that stay silent where they should have delivered something. */
  suspect(nodeIds: Iterable<string>): void {
    for (const nodeId of nodeIds) this.#attachments.suspect(nodeId);
  }

  /** PAIR-10: a peer stays silent, which may be the home's doing: another home is taken. */
  doubtHome(): void {
    if (this.#link !== undefined && this.#doubts.silent()) this.#leaveHome(this.#link);
  }

  /** Tells every node again where the device is, after its addresses or its enrolments have changed. */
  announce(): void {
    this.#attachments.renew();
  }

  /** Nodes are no more, or not those any more: nothing is expected of them, and none is the home. */
  drop(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) this.#failures.delete(nodeId);
    const link = this.#link;
    if (link === undefined || !nodeIds.includes(link.home)) return;
    link.close(
      new SymmetraError('NODE_UNKNOWN', 'the descriptor names the home node no more', { node: link.home }),
    );
  }

  /** Leaves the home node and connects no more. The nodes are told, as far as they answer at once. */
  async close(): Promise<void> {
    this.#closed = true;
    const link = this.#link;
    if (link !== undefined) await this.#takeLeave(link);
    this.#link?.close(deviceClosed());
    this.#linkWaiters.fail(deviceClosed());
    this.#readyWaiters.fail(deviceClosed());
    this.#called.release();
  }

  /** SES-8. */
  async #takeLeave(link: HomeLink): Promise<void> {
    const { chains, sessions, calls, timers } = this.#parts;
    const closings = chains
      .ready()
      .filter((nodeId) => sessions.current(nodeId) !== undefined)
      .map(async (nodeId) => calls.call(link, nodeId, CLOSE, () => ({})));
    await timers.within(LEAVE_MS, Promise.allSettled(closings), deviceClosed).catch(() => undefined);
  }

  async #callOn<Method extends SealedMethod>(
    link: HomeLink,
    nodeId: string,
    method: Method,
    request: MessageInput<PlaintextRequest<Method>>,
  ): Promise<Message<PlaintextReply<Method>>> {
    try {
      return await this.#parts.calls.call(link, nodeId, method, () => request);
    } catch (error) {
      this.#suspectHome(link, nodeId, error);
      throw error;
    } finally {
      // A session that was opened for the call may be there whatever came of it.
      this.#attachments.refresh(nodeId);
    }
  }

  #suspectHome(link: HomeLink, nodeId: string, error: unknown): void {
    if (UNANSWERED.has(codeOf(error)) && nodeId !== link.home) void this.#probe(link, nodeId);
  }

  #leaveHome(link: HomeLink): void {
    this.#parts.logger.warn(
      { home: link.home },
      'The home node may withhold messages; another one is taken.',
    );
    link.close(
      new SymmetraError('HOME_WITHHOLDS', 'the home node may withhold messages', { node: link.home }),
    );
  }

  /** A node that serves, and can not be reached through the home, is kept away by the home. */
  async #probe(link: HomeLink, nodeId: string): Promise<void> {
    if ((await this.#doubts.serves(nodeId)) && this.#link === link && this.#doubts.keptAway()) {
      this.#leaveHome(link);
    }
  }

  #start(): void {
    this.#called.release();
    if (this.#running || this.#closed) return;
    this.#running = true;
    void this.#run();
  }

  /** From home to home, until the device is closed. */
  async #run(): Promise<void> {
    const { logger } = this.#parts;
    const avoided = new Set<string>();
    for (let round = 0; !this.#closed;) {
      const home = this.#homes().find((nodeId) => !avoided.has(nodeId));
      if (home === undefined) {
        avoided.clear();
        round += 1;
        this.#tellWaiters(round);
        await this.#rest(round).catch(() => undefined);
        continue;
      }
      try {
        const link = await this.#bind(home);
        round = 0;
        const reason = await link.ended;
        this.#unbind(home, reason);
        // Behind a home that may withhold comes one that is not doubted yet.
        if (reason.code !== 'HOME_WITHHOLDS') avoided.clear();
        logger.info({ home, code: reason.code }, 'The link to the home node is over.');
      } catch (error) {
        this.#failures.set(home, asSymmetraError(error));
        logger.info({ home, code: codeOf(error) }, 'A node could not become the home.');
      }
      avoided.add(home);
    }
  }

  /** The pause behind a round without any home. Whoever needs one does not wait for more than the shortest pause. */
  async #rest(round: number): Promise<void> {
    const { timers, random } = this.#parts;
    const ms = pauseMs(RETRY, round - 1, fractionOf(random.bytes));
    const shortest = Math.min(ms, RETRY.firstMs);
    const called = this.#called.wait();
    await timers.sleep(shortest);
    await timers.within(ms - shortest, called, deviceClosed);
  }

  /** The nodes in this device's own order: devices spread over the nodes, and each finds back to its own. */
  #homes(): readonly string[] {
    const weight = (nodeId: string): string => toHex(sha256(this.#parts.deviceId, utf8(nodeId)));
    return this.#parts.chains.ready().toSorted((a, b) => (weight(a) < weight(b) ? -1 : 1));
  }

  /** The first call on a link is Attach at the home (SES-7). */
  async #bind(home: string): Promise<HomeLink> {
    const { sessions, routes, onBound } = this.#parts;
    await sessions.get(home);
    const link = await this.#linkTo(home);
    this.#link = link;
    routes.prefer(home);
    this.#failures.clear();
    this.#attachments.use(link);
    this.#linkWaiters.release();
    onBound();
    if (this.#isReady()) this.#readyWaiters.release();
    return link;
  }

  /** A link to the first of the home's addresses that takes one: each process of a node has one of its own. */
  async #linkTo(home: string): Promise<HomeLink> {
    const { routes, timers, groups } = this.#parts;
    let failure: unknown = new SymmetraError('NODE_UNREACHABLE', 'the node has no address', { node: home });
    for (const address of routes.addresses(home)) {
      const link = new HomeLink(home, routes.client(address).connectLink(), timers);
      link.listen({ event: (frame) => this.#attachments.receive(frame), ...groups });
      try {
        await this.#attachments.attach(link, home);
        if (this.#closed) throw deviceClosed();
        return link;
      } catch (error) {
        link.close();
        if (this.#closed || !isTransportFailure(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #unbind(home: string, reason: SymmetraError): void {
    this.#link = undefined;
    this.#failures.set(home, reason);
    this.#parts.routes.prefer(undefined);
    this.#attachments.drop();
  }

  async #followDescriptor(version: number): Promise<void> {
    const { descriptors, logger } = this.#parts;
    if (version <= descriptors.current.version) return;
    try {
      await descriptors.refresh([], version);
    } catch (error) {
      logger.warn({ code: codeOf(error) }, 'The newer descriptor could not be fetched.');
    }
  }

  async #boundLink(): Promise<HomeLink> {
    this.#start();
    if (this.#link === undefined && !this.#closed) {
      await this.#parts.timers.within(LINK_WAIT_MS, this.#linkWaiters.wait(), () => this.#reason());
    }
    if (this.#link === undefined) throw this.#reason();
    return this.#link;
  }

  #isReady(): boolean {
    return this.#link !== undefined && this.#attachments.count >= this.#parts.descriptors.current.threshold;
  }

  /** Takes note of how one node answered; those who wait learn when too few are left that may still agree. */
  #note(nodeId: string, error: SymmetraError | undefined): void {
    if (error === undefined) this.#failures.delete(nodeId);
    else this.#failures.set(nodeId, error);
    if (this.#attachments.count === this.#parts.chains.ready().length) this.#doubts.dispelled();
    if (this.#link !== undefined) this.#suspectHome(this.#link, nodeId, error);
    if (this.#isReady()) {
      this.#readyWaiters.release();
      return;
    }
    const { chains, descriptors } = this.#parts;
    const refusals = [...this.#failures.values()].filter((one) => !isTransportFailure(one));
    if (chains.ready().length - refusals.length < descriptors.current.threshold) {
      this.#readyWaiters.fail(this.#reason());
    }
  }

  #tellWaiters(round: number): void {
    const decided = [...this.#failures.values()].some((error) => !isTransportFailure(error));
    if (round < ROUNDS_BEFORE_TELLING && !decided) return;
    this.#linkWaiters.fail(this.#reason());
    this.#readyWaiters.fail(this.#reason());
  }

  #reason(): SymmetraError {
    if (this.#closed) return deviceClosed();
    if (this.#parts.chains.ready().length === 0) {
      return new SymmetraError('NOT_ENROLLED', 'the device has not finished its enrolment at any node');
    }
    return mostTelling([...this.#failures.values()]);
  }
}
