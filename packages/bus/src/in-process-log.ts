import { SymmetraError } from '@symmetra/crypto';
import type { BusClock } from './in-process.js';
import { LOG_PAUSE_MS, checkEntry } from './log-stream.js';
import type { LogEntry, LogState, LogStream } from './log-stream.js';

/**
 * The log of one process: it lasts as long as the process does, each node of which joins it. Everything that happens
 * takes turns of the event loop, in the order in which it was asked for.
 */
export class InProcessLog {
  readonly #clock: BusClock;
  readonly #isLasting: boolean;
  readonly #members = new Set<Member>();
  #entries: readonly LogEntry[] = [];
  #last = 0;
  #incarnation = 1;

  /** @param options whether its name tells it from the logs of other processes; it does when left out. */
  constructor(clock: BusClock, { isLasting = true }: { readonly isLasting?: boolean } = {}) {
    this.#clock = clock;
    this.#isLasting = isLasting;
  }

  /** The log as one node sees it. */
  join(): LogStream {
    const member = new Member(this, this.#clock, () => this.#members.delete(member));
    this.#members.add(member);
    return member;
  }

  /** All entries, oldest first. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  get state(): LogState {
    return { incarnation: this.#isLasting ? String(this.#incarnation) : '', last: this.#last };
  }

  /** The first entry behind a place. */
  next(after: number): LogEntry | undefined {
    const entry = this.#entries.find(({ sequence }) => sequence > after);
    return entry && { sequence: entry.sequence, data: entry.data.slice() };
  }

  /** Appends an entry if `last` is the newest. @throws SymmetraError LOG_MOVED; MESSAGE_TOO_LARGE */
  append(data: Uint8Array, last: number): number {
    checkEntry(data);
    if (last !== this.#last) {
      throw new SymmetraError('LOG_MOVED', 'another entry of the log is newer', {
        expected: last,
        last: this.#last,
      });
    }
    this.#set([...this.#entries, { sequence: this.#last + 1, data: data.slice() }]);
    return this.#last;
  }

  /** What whoever keeps the log can do to it: its entries are now these, ascending. The newest of them is the last. */
  tamper(entries: readonly LogEntry[]): void {
    this.#set(entries);
  }

  /** The log is lost, and an empty one has its name. */
  recreate(): void {
    this.#incarnation += 1;
    this.#set([]);
  }

  #set(entries: readonly LogEntry[]): void {
    this.#entries = entries;
    this.#last = entries.at(-1)?.sequence ?? 0;
    for (const member of this.#members) member.wake();
  }
}

/** A place in the log, and what wakes its follower. */
class Follower {
  #stopped = false;
  #wake: () => void = () => undefined;
  #woken = false;
  readonly finished: Promise<void>;

  constructor(
    log: InProcessLog,
    clock: BusClock,
    after: number,
    onEntry: (entry: LogEntry) => Promise<void>,
  ) {
    this.finished = this.#run(log, clock, after, onEntry);
  }

  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.finished;
  }

  async #run(
    log: InProcessLog,
    clock: BusClock,
    after: number,
    onEntry: (entry: LogEntry) => Promise<void>,
  ): Promise<void> {
    let place = after;
    let { incarnation } = log.state;
    await turn();
    while (!this.#stopped) {
      this.#woken = false;
      const state = log.state;
      if (state.incarnation !== incarnation || state.last < place) place = 0;
      incarnation = state.incarnation;
      const next = log.next(place);
      if (next === undefined) {
        await this.#sleep();
        continue;
      }
      try {
        await onEntry(next);
        place = next.sequence;
      } catch {
        await this.#pause(clock);
      }
    }
  }

  /** Until the log changes. */
  async #sleep(): Promise<void> {
    if (this.#woken || this.#stopped) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await turn();
  }

  /** Until the pause is over, or the follower stopped. */
  async #pause(clock: BusClock): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(LOG_PAUSE_MS, resolve);
      this.#wake = () => {
        if (!this.#stopped) return;
        timer.cancel();
        resolve();
      };
    });
  }
}

class Member implements LogStream {
  readonly #log: InProcessLog;
  readonly #clock: BusClock;
  readonly #leave: () => void;
  readonly #followers = new Set<Follower>();
  #closed = false;

  constructor(log: InProcessLog, clock: BusClock, leave: () => void) {
    this.#log = log;
    this.#clock = clock;
    this.#leave = leave;
  }

  async append(data: Uint8Array, last: number): Promise<number> {
    checkEntry(data);
    const copy = data.slice();
    await turn();
    this.#checkOpen();
    const sequence = this.#log.append(copy, last);
    await turn();
    return sequence;
  }

  async state(): Promise<LogState> {
    await turn();
    this.#checkOpen();
    return this.#log.state;
  }

  async next(after: number): Promise<LogEntry | undefined> {
    await turn();
    this.#checkOpen();
    return this.#log.next(after);
  }

  follow(after: number, onEntry: (entry: LogEntry) => Promise<void>): () => Promise<void> {
    this.#checkOpen();
    const follower = new Follower(this.#log, this.#clock, after, onEntry);
    this.#followers.add(follower);
    return async () => {
      this.#followers.delete(follower);
      await follower.stop();
    };
  }

  wake(): void {
    for (const follower of this.#followers) follower.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#leave();
    await Promise.all([...this.#followers].map((follower) => follower.stop()));
    this.#followers.clear();
  }

  #checkOpen(): void {
    if (this.#closed) throw new SymmetraError('LOG_UNAVAILABLE', 'the log was closed on this side');
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
