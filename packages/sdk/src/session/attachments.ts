import { SymmetraError } from '@symmetra/crypto';
import { decode } from '@symmetra/rpc';
import type { Message } from '@symmetra/rpc';
import type { Logger, Timer } from '@symmetra/runtime';
import { fractionOf, jittered, pauseMs } from '../backoff.js';
import type { Chains } from '../chain/chains.js';
import { asSymmetraError, codeOf } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Timers } from '../timers.js';
import type { HomeLink, LinkEventFrame } from './home-link.js';
import type { NodeSession } from './node-session.js';
import type { SealedCalls } from './sealed-calls.js';
import type { Sessions } from './sessions.js';

const ATTACH = '/symmetra.session.v1.SessionService/Attach';
const EVENT = '/symmetra.link.v1.LinkService/Event';
/** How long a gap between event numbers may be due to the order of arrival. */
const GAP_MS = 400;
const MAX_RESYNCS = 3;
/** A suspicion is followed up at most once in this time at each node. */
const SUSPECT_MS = 2000;
/** How often a node is asked whether anything was missed. */
const SYNC_MS = 60_000;
const SYNC_JITTER = 0.2;
const RETRY = { firstMs: 500, maxMs: 30_000 };

/** An event that a node sent and that was opened in its session. */
export type DeviceEvent = Message<'symmetra.link.v1.DeviceEvent'>;

/** What attaching needs. */
export interface AttachmentParts {
  readonly chains: Chains;
  readonly sessions: Sessions;
  readonly calls: SealedCalls;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Addresses for the direct path. */
  readonly addresses: () => readonly string[];
  readonly onEvent: (nodeId: string, event: DeviceEvent) => void;
  /** Version of the newest descriptor that a node holds. */
  readonly onDescriptorVersion: (version: number) => void;
  /** A node knows now where the device is, or refused to. */
  readonly onOutcome: (nodeId: string, error: SymmetraError | undefined) => void;
}

/** Tells every node where the device's events go (SES-7), and sees to it that no event is missed (SES-6). */
export class Attachments {
  readonly #parts: AttachmentParts;
  readonly #attaching = new Map<string, Promise<void>>();
  readonly #syncs = new Map<string, Timer>();
  readonly #watched = new Set<NodeSession>();
  readonly #resyncs = new Map<NodeSession, number>();
  readonly #suspected = new Map<string, number>();
  #link: HomeLink | undefined;

  constructor(parts: AttachmentParts) {
    this.#parts = parts;
  }

  /** Keeps the device attached at every node through this link; it is bound already. */
  use(link: HomeLink): void {
    this.#link = link;
    for (const nodeId of this.#parts.chains.ready()) {
      if (nodeId === link.home) this.#scheduleSync(link, nodeId, 0);
      else void this.#keep(link, nodeId, 0);
    }
  }

  /** The link is over: no node knows where the device is. */
  drop(): void {
    this.#link = undefined;
    this.#attaching.clear();
    for (const timer of this.#syncs.values()) timer.cancel();
    this.#syncs.clear();
    for (const nodeId of this.#parts.chains.nodes()) {
      const session = this.#parts.sessions.current(nodeId);
      if (session !== undefined) session.attached = false;
    }
  }

  /** Attaches again at every node. */
  renew(): void {
    const link = this.#link;
    if (link === undefined) return;
    for (const nodeId of this.#parts.chains.ready()) void this.#keep(link, nodeId, 0);
  }

  /** Attaches at a node whose session was opened anew. */
  refresh(nodeId: string): void {
    const link = this.#link;
    const session = this.#parts.sessions.current(nodeId);
    if (link !== undefined && session?.attached === false) void this.#keep(link, nodeId, 0);
  }

  /** Asks a node again that may have lost the session through which it would have said something. */
  suspect(nodeId: string): void {
    const link = this.#link;
    const now = this.#parts.timers.monotonic();
    if (link === undefined || now < (this.#suspected.get(nodeId) ?? 0)) return;
    if (!this.#parts.chains.ready().includes(nodeId)) return;
    this.#suspected.set(nodeId, now + SUSPECT_MS);
    void this.#keep(link, nodeId, 0);
  }

  /** How many nodes know where the device is. */
  get count(): number {
    const { chains, sessions } = this.#parts;
    return chains.ready().filter((nodeId) => sessions.current(nodeId)?.attached === true).length;
  }

  /** SES-7: one Attach; callers at the same time share it. */
  async attach(link: HomeLink, nodeId: string): Promise<void> {
    const pending = this.#attaching.get(nodeId);
    if (pending !== undefined) return pending;
    const attaching = this.#attachNow(link, nodeId).finally(() => {
      if (this.#attaching.get(nodeId) === attaching) this.#attaching.delete(nodeId);
    });
    this.#attaching.set(nodeId, attaching);
    return attaching;
  }

  /** Opens an event and hands it on. */
  receive(frame: LinkEventFrame): void {
    const { sessions, logger, onEvent } = this.#parts;
    const session = sessions.byId(frame.session);
    if (session === undefined) return;
    let event: DeviceEvent;
    try {
      event = decode('symmetra.link.v1.DeviceEvent', session.end.open(EVENT, frame.message));
    } catch (error) {
      logger.warn({ node: session.nodeId, code: codeOf(error) }, 'An event was dropped.');
      return;
    }
    session.events.saw(event.number);
    this.#watch(session);
    onEvent(session.nodeId, event);
  }

  async #attachNow(link: HomeLink, nodeId: string): Promise<void> {
    const { calls, addresses, onDescriptorVersion } = this.#parts;
    const used: { session: NodeSession; highest: number }[] = [];
    const reply = await calls.call(link, nodeId, ATTACH, (session) => {
      used.push({ session, highest: session.events.highest });
      return { home: link.home, addresses: [...addresses()], lastEvent: session.events.complete };
    });
    const last = used.at(-1);
    if (last === undefined) return;
    last.session.attached = true;
    last.session.events.madeUpFor(last.highest);
    last.session.events.heardOf(reply.lastEvent);
    this.#watch(last.session);
    onDescriptorVersion(reply.descriptorVersion);
  }

  /** Attaches at a node, and again from time to time while the link stands. */
  async #keep(link: HomeLink, nodeId: string, attempt: number): Promise<void> {
    const { chains, logger, onOutcome } = this.#parts;
    if (!chains.ready().includes(nodeId)) return;
    let failed = false;
    try {
      await this.attach(link, nodeId);
      if (this.#link === link) onOutcome(nodeId, undefined);
    } catch (error) {
      failed = true;
      if (this.#link !== link) return;
      logger.info({ node: nodeId, code: codeOf(error) }, 'The device could not attach at a node.');
      onOutcome(nodeId, asSymmetraError(error));
    }
    this.#scheduleSync(link, nodeId, failed ? attempt + 1 : 0);
  }

  #scheduleSync(link: HomeLink, nodeId: string, attempt: number): void {
    if (this.#link !== link) return;
    const { timers, random } = this.#parts;
    const fraction = fractionOf(random.bytes);
    const pause =
      attempt === 0 ? jittered(SYNC_MS, fraction, SYNC_JITTER) : pauseMs(RETRY, attempt - 1, fraction);
    this.#syncs.get(nodeId)?.cancel();
    this.#syncs.set(
      nodeId,
      timers.set(pause, () => {
        if (this.#link === link) void this.#keep(link, nodeId, attempt);
      }),
    );
  }

  /** SES-6: a number that stays missing is asked for. */
  #watch(session: NodeSession): void {
    if (!session.events.hasGap) {
      this.#resyncs.delete(session);
      return;
    }
    if (this.#watched.has(session)) return;
    this.#watched.add(session);
    this.#parts.timers.set(GAP_MS, () => {
      this.#watched.delete(session);
      void this.#closeGap(session);
    });
  }

  /** Asks again for what is missing; a home that goes on withholding is left. */
  async #closeGap(session: NodeSession): Promise<void> {
    const { sessions, logger } = this.#parts;
    const link = this.#link;
    const { nodeId } = session;
    if (!session.events.hasGap || link === undefined || sessions.current(nodeId) !== session) {
      this.#resyncs.delete(session);
      return;
    }
    const attempt = (this.#resyncs.get(session) ?? 0) + 1;
    this.#resyncs.set(session, attempt);
    logger.info({ node: nodeId, attempt }, 'An event is missing.');
    if (attempt > MAX_RESYNCS) {
      this.#resyncs.delete(session);
      link.close(
        new SymmetraError('HOME_WITHHOLDS', 'the home node does not bring every event', { node: link.home }),
      );
      return;
    }
    try {
      await this.attach(link, nodeId);
    } catch (error) {
      logger.info({ node: nodeId, code: codeOf(error) }, 'The device could not attach at a node.');
      this.#watch(session);
    }
  }
}
