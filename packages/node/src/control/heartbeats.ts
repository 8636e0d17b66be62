import type { Bus } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import type { LogHead } from '@symmetra/protocol';
import { publicCode } from '@symmetra/rpc';
import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { ControlState } from './control-state.js';
import type { Freshness } from './freshness.js';
import { decodeHeartbeat, encodeHeartbeat } from './heartbeat.js';
import type { Heartbeat } from './heartbeat.js';
import { PeerHeads, isSame } from './peer-heads.js';
import type { Reading } from './peer-logs.js';

const HEARTBEAT_SUBJECT = 'heartbeat';
/** How long the others have to answer. */
const ANSWER_MS = 1000;
/** How long a node that was told of a newer event takes to get it before it goes on. */
const CATCH_UP_MS = 500;
/** Clocks of nodes that differ by more are reported. */
const MAX_SKEW_MS = 2000;

/** Others that come and go make a node say at most once in this time that it is isolated. */
const ISOLATED_EVERY_MS = 60_000;

/** How quickly a node notices that it is alone. */
export interface FreshnessSettings {
  /** For how long the word of the others is good, milliseconds. */
  readonly maxStalenessMs: number;
  /** How often the others are asked, milliseconds. */
  readonly heartbeatMs: number;
}

/** What a node knows of another one. */
export interface PeerReport {
  readonly node: string;
  /** How long ago it was asked for what it said last; undefined before its first word. */
  readonly ageMs: number | undefined;
  /** Number of its newest event. */
  readonly number: number | undefined;
  /** Its clock less the own one, milliseconds. */
  readonly skewMs: number | undefined;
}

export interface HeartbeatsParts extends FreshnessSettings {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ControlState;
  /** Reads on in the log of another node. Never fails. */
  readonly catchUp: (peer: string) => Promise<Reading>;
  /** Called when the node becomes fresh or stale, and first when it is fresh for the first time. */
  readonly onChange: (fresh: boolean) => void;
  /** The node reaches too few others to be of use to a device that is at home here. */
  readonly onIsolated: () => void;
  /** Another node has a newer descriptor. */
  readonly onDescriptor: (peer: string, version: number) => void;
}

/**
 * CTL-7: nodes tell one another how far they are, and a node makes and hands out keys only while k of them, itself
 * included, agree. Only answers count, from the moment of asking: what comes by itself may have been kept back.
 */
export class Heartbeats implements Freshness {
  readonly #parts: HeartbeatsParts;
  readonly #heads: PeerHeads;
  readonly #peers: readonly string[];
  readonly #chases = new Map<string, Promise<Reading>>();
  readonly #skews = new Map<string, number>();
  /** By node: for which number it was reported last that it states another hash. */
  readonly #differing = new Map<string, number>();
  /** By name: what waits until the node is fresh. */
  readonly #waiting = new Map<string, () => void>();
  readonly #onAnswer = new Set<() => void>();
  #round: Promise<void> | undefined;
  /** Another round begins when the one is over that is under way. */
  #willAsk = false;
  #timer: Timer | undefined;
  #wasFresh = false;
  #wasIsolated = true;
  /** When it was said last that the node is isolated, monotonic milliseconds. */
  #isolatedMs = Number.NEGATIVE_INFINITY;
  /** Until when a new event makes nobody say that the node is stale: the others are asked about it. */
  #askingUntilMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: HeartbeatsParts) {
    this.#parts = parts;
    const { bus, state } = parts;
    this.#heads = new PeerHeads(parts);
    this.#peers = state.descriptor.nodes.map(({ id }) => id).filter((id) => id !== bus.self);
    bus.serve(HEARTBEAT_SUBJECT, async (from, payload) => this.#answer(from, decodeHeartbeat(payload)));
  }

  /** Whether k nodes agree on the head now, and this one has not halted. */
  get isFresh(): boolean {
    return this.#heads.agree;
  }

  /** As health and metrics say it: a node that was fresh does not seem stale while it asks the others about a new event. */
  get seemsFresh(): boolean {
    const { clock, state } = this.#parts;
    return this.isFresh || (!state.halted && clock.monotonic() < this.#askingUntilMs);
  }

  /** What is known of the other nodes. */
  get peers(): readonly PeerReport[] {
    const now = this.#parts.clock.monotonic();
    return this.#peers.map((node) => {
      const askedMs = this.#heads.askedMs(node);
      return {
        node,
        ageMs: askedMs === undefined ? undefined : now - askedMs,
        number: this.#heads.beatOf(node)?.head.number,
        skewMs: this.#skews.get(node),
      };
    });
  }

  /** Begins to ask the others regularly. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.setTimer(this.#parts.heartbeatMs, () => {
      void this.ask().finally(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#tellAsking();
  }

  async ensure(): Promise<void> {
    if (this.isFresh) return;
    if (this.#parts.state.halted) {
      throw new SymmetraError('NODE_HALTED', 'the control log of the node is forked');
    }
    // A round that is under way may have begun before the others could answer.
    if (this.#round !== undefined) await this.#agreedOr(this.#round);
    if (!this.isFresh && !this.#stopped) await this.#agreedOr(this.ask());
    if (this.isFresh) return;
    throw new SymmetraError('NODE_STALE', 'too few nodes agree with this one on the control log');
  }

  whenFresh(name: string, task: () => void): void {
    if (this.#stopped) return;
    this.#waiting.set(name, task);
    if (this.isFresh) this.#runWaiting();
    else void this.ask();
  }

  /** CTL-7: there is a new event: the others are asked at once whether they have it too, once for all that come meanwhile. */
  noteEvent(): void {
    if (!this.#wasFresh || this.#stopped || this.isFresh) return;
    this.#askingUntilMs = this.#parts.clock.monotonic() + this.#parts.heartbeatMs;
    if (!this.#willAsk) void this.#askNext();
  }

  async #askNext(): Promise<void> {
    this.#willAsk = true;
    await this.#round;
    this.#willAsk = false;
    await this.ask();
  }

  /**
   * CTL-8: asks all others anew and gets what they have.
   * @returns whether more than half of the nodes spoke since `sinceMs` (monotonic), and nothing is known to be missing
   */
  async catchUp(sinceMs: number): Promise<boolean> {
    await this.#round;
    await this.ask();
    return this.#heads.isAbreast(sinceMs);
  }

  /** Asks all others once; whoever does so while it lasts shares the answers. Never fails. */
  async ask(): Promise<void> {
    this.#round ??= this.#askAll().finally(() => {
      this.#round = undefined;
      this.#evaluate();
    });
    return this.#round;
  }

  async #askAll(): Promise<void> {
    await Promise.all(this.#peers.map(async (peer) => this.#askOne(peer)));
    for (const { peer, number } of this.#heads.overdue()) this.#noteUnanswered(peer, number);
    this.#noteIsolation();
  }

  async #askOne(peer: string): Promise<void> {
    const { bus, clock, logger } = this.#parts;
    const asked = { monotonicMs: clock.monotonic(), wallMs: clock.now() };
    try {
      const reply = await bus.request(peer, HEARTBEAT_SUBJECT, encodeHeartbeat(this.#own()), {
        timeoutMs: ANSWER_MS,
      });
      const beat = decodeHeartbeat(reply);
      this.#heads.answered(peer, beat, asked.monotonicMs);
      this.#measure(peer, beat, asked);
      await this.#within(this.#take(peer, beat), CATCH_UP_MS);
    } catch (error) {
      logger.debug({ peer, code: publicCode(error) }, 'A node did not answer a heartbeat.');
    }
    this.#tellAsking();
  }

  async #answer(from: string, beat: Heartbeat): Promise<Uint8Array> {
    if (this.#peers.includes(from)) {
      const { clock } = this.#parts;
      const since = this.#heads.askedMs(from);
      const isNews = since === undefined || clock.monotonic() - since >= this.#parts.maxStalenessMs;
      if (isNews && !this.#stopped) void this.ask();
      await this.#within(this.#take(from, beat), CATCH_UP_MS);
    }
    return encodeHeartbeat(this.#own());
  }

  /** Gets what the other node has and this one has not; a head that differs is looked at. */
  async #take(peer: string, { head, descriptorVersion }: Heartbeat): Promise<void> {
    const { state, onDescriptor } = this.#parts;
    if (descriptorVersion > state.descriptor.version) onDescriptor(peer, descriptorVersion);
    if (this.#has(head)) return;
    this.#heads.states(peer, head.number);
    // What it was asked for before is no answer to what it states only now.
    await this.#chases.get(peer);
    if (this.#has(head)) return;
    const reading = await this.#chase(peer);
    if (reading === 'not taken') this.#heads.excuse(peer);
    if (reading !== 'shown') return;
    const wasDisbelieved = this.#heads.isDisbelieved(peer);
    const isBare = this.#heads.showed(peer, head.number);
    const differs = head.number === state.head.number && !isSame(head, state.head);
    if (isBare && !wasDisbelieved) this.#noteUnshown(peer, head.number);
    else if (differs) this.#noteDiffers(peer, head.number);
    this.#tellAsking();
    this.#evaluate();
  }

  #has(head: LogHead): boolean {
    const { state } = this.#parts;
    return head.number < state.head.number || isSame(head, state.head);
  }

  async #chase(peer: string): Promise<Reading> {
    const running = this.#chases.get(peer);
    if (running !== undefined) return running;
    const chase = this.#parts.catchUp(peer).finally(() => this.#chases.delete(peer));
    this.#chases.set(peer, chase);
    return chase;
  }

  #own(): Heartbeat {
    const { clock, state } = this.#parts;
    return { head: state.head, clockMs: clock.now(), descriptorVersion: state.descriptor.version };
  }

  #measure(peer: string, { clockMs }: Heartbeat, asked: { monotonicMs: number; wallMs: number }): void {
    const { clock, logger } = this.#parts;
    const tookMs = clock.monotonic() - asked.monotonicMs;
    if (tookMs > MAX_SKEW_MS) return;
    const skewMs = Math.round(clockMs - asked.wallMs - tookMs / 2);
    const wasFar = Math.abs(this.#skews.get(peer) ?? 0) > MAX_SKEW_MS;
    this.#skews.set(peer, skewMs);
    if (Math.abs(skewMs) <= MAX_SKEW_MS || wasFar) return;
    logger.warn(
      { event: 'clock-skew', peer, ms: skewMs },
      'The clock of another node differs from the own one.',
    );
  }

  /** CTL-7: nobody waits for that node, nor is it reported again, for an hour. */
  #noteUnshown(peer: string, number: number): void {
    this.#parts.logger.error(
      { event: 'head-unshown', accused: peer, sequence: number },
      'A node states a control event that it does not show.',
    );
  }

  /** CTL-7: nobody waits for that node for an hour. It is accused of nothing: requests and replies get lost. */
  #noteUnanswered(peer: string, number: number): void {
    this.#parts.logger.warn(
      { event: 'head-unanswered', peer, sequence: number },
      'A node states a control event and does not answer when it is asked for it.',
    );
  }

  /** It is told once for each number. */
  #noteDiffers(peer: string, number: number): void {
    if (this.#differing.get(peer) === number) return;
    this.#differing.set(peer, number);
    this.#parts.logger.error(
      { event: 'head-differs', accused: peer, sequence: number },
      'A node stands on another newest control event, or states one that it does not show.',
    );
  }

  #noteIsolation(): void {
    const { clock, onIsolated } = this.#parts;
    const { isIsolated } = this.#heads;
    const isNews = isIsolated && !this.#wasIsolated && !this.#stopped;
    this.#wasIsolated = isIsolated;
    if (!isNews || clock.monotonic() < this.#isolatedMs + ISOLATED_EVERY_MS) return;
    this.#isolatedMs = clock.monotonic();
    onIsolated();
  }

  #evaluate(): void {
    if (this.isFresh && !this.#stopped) this.#runWaiting();
    const fresh = this.seemsFresh && !this.#stopped;
    if (fresh === this.#wasFresh) return;
    this.#wasFresh = fresh;
    if (!this.#stopped) this.#parts.onChange(fresh);
  }

  #runWaiting(): void {
    const tasks = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const task of tasks) task();
  }

  #tellAsking(): void {
    for (const listener of this.#onAnswer) listener();
  }

  /** Until the round is over, or enough nodes agree before that; a second at most. */
  async #agreedOr(round: Promise<void>): Promise<void> {
    let listener: () => void = () => undefined;
    const agreed = new Promise<void>((resolve) => {
      listener = () => {
        if (this.isFresh || this.#stopped) resolve();
      };
    });
    this.#onAnswer.add(listener);
    await this.#within(Promise.race([round, agreed]), ANSWER_MS);
    this.#onAnswer.delete(listener);
    if (this.isFresh) this.#evaluate();
  }

  async #within(work: Promise<void>, ms: number): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#parts.clock.setTimer(ms, resolve);
    });
    await Promise.race([work, late]);
    timer?.cancel();
  }
}
