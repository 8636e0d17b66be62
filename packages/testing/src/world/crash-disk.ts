import { SymmetraError } from '@symmetra/crypto';
import type { Change, Row, ScanOptions, ScannedRow, Store } from '@symmetra/storage';
import type { Prng } from '../prng.js';
import type { Life } from './life.js';
import type { SealedValues } from './sealed-values.js';
import type { Timeline } from './timeline.js';

/** How long a disk takes to make a commit durable, milliseconds. */
export interface DiskSpeed {
  readonly fastest: number;
  readonly slowest: number;
}

const GOOD: DiskSpeed = { fastest: 0, slowest: 2 };

/** What befalls a disk, for those who count. */
export const DISK_EVENTS = ['commit-lost', 'commit-kept-unanswered', 'disk-full', 'disk-slow'] as const;
type DiskEvent = (typeof DISK_EVENTS)[number];

/** What a disk needs of its world. */
export interface DiskSurroundings {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly sealed: SealedValues;
  readonly note: (event: DiskEvent) => void;
}

interface Commit {
  readonly changes: readonly Change[];
  readonly settle: (outcome: boolean | SymmetraError) => void;
}

/**
 * The disk of one machine. Commits become durable one after the other, each after a while; the one who made it learns
 * of it then. When the process dies, what is under way is there or not, whole commits in their order, and what was
 * acknowledged is there.
 */
export class CrashDisk {
  readonly #around: DiskSurroundings;
  readonly #rows = new Map<string, Row>();
  #lastVersion = 0;
  #queue: Commit[] = [];
  #open: Life | undefined;
  /** Nothing fits any more. */
  full = false;
  speed: DiskSpeed = GOOD;
  /** What happens while the next commit is under way, once. */
  strike: (() => void) | undefined;

  constructor(around: DiskSurroundings) {
    this.#around = around;
  }

  /** The store of one process. There is never more than one. */
  open(life: Life): Store {
    if (this.#open?.lasts === true) throw new SymmetraError('STORE_BUSY', 'another process has the store');
    this.#open = life;
    this.#queue = [];
    life.onEnd(() => this.#crash());
    return new CrashStore(life, {
      row: (key) => this.#rows.get(key),
      rows: () => this.#rows,
      commit: async (changes) => this.#commit(changes),
      idle: async () => this.#idle(),
      leave: () => {
        this.#open = undefined;
      },
    });
  }

  /** Whether there is anything on the disk. */
  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** The durable bytes under the keys that begin with the prefix, ascending. */
  *values(prefix = ''): Iterable<readonly [key: string, value: Uint8Array]> {
    for (const key of [...this.#rows.keys()].toSorted()) {
      const row = this.#rows.get(key);
      if (row !== undefined && key.startsWith(prefix)) yield [key, row.value];
    }
  }

  async #commit(changes: readonly Change[]): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#queue.push({
        changes: changes.map((change) => ({ ...change, value: change.value?.slice() ?? null })),
        settle: (outcome) => {
          if (outcome instanceof SymmetraError) reject(outcome);
          else resolve(outcome);
        },
      });
      if (this.#queue.length === 1) this.#schedule();
    });
  }

  async #idle(): Promise<void> {
    while (this.#queue.length > 0) await this.#commit([]);
  }

  #schedule(): void {
    const { timeline, prng, note } = this.#around;
    const { fastest, slowest } = this.speed;
    if (this.speed !== GOOD) note('disk-slow');
    const life = this.#open;
    const ms = prng.between(fastest, slowest);
    timeline.after(Math.floor(ms / 2), () => {
      const { strike } = this;
      this.strike = undefined;
      strike?.();
    });
    timeline.after(ms, () => {
      if (life === this.#open && life?.lasts === true) this.#write();
    });
  }

  #write(): void {
    const commit = this.#queue.shift();
    if (commit === undefined) return;
    if (this.full && commit.changes.length > 0) {
      this.#around.note('disk-full');
      commit.settle(new SymmetraError('STORE_FULL', 'there is no room left'));
    } else {
      commit.settle(this.#apply(commit.changes));
    }
    if (this.#queue.length > 0) this.#schedule();
  }

  #apply(changes: readonly Change[]): boolean {
    for (const { key, expect } of changes) {
      if (expect !== undefined && expect !== (this.#rows.get(key)?.version ?? 0)) return false;
    }
    this.#lastVersion += 1;
    for (const { key, value } of changes) {
      if (value === null) {
        this.#rows.delete(key);
        continue;
      }
      this.#around.sealed.note(key, value);
      this.#rows.set(key, { value, version: this.#lastVersion });
    }
    return true;
  }

  /** Some of what is under way was written before the end, and nobody heard of it. */
  #crash(): void {
    const { prng, note } = this.#around;
    const kept = this.full ? 0 : prng.between(0, this.#queue.length);
    for (const { changes } of this.#queue.slice(0, kept)) {
      if (this.#apply(changes)) note('commit-kept-unanswered');
    }
    for (let lost = kept; lost < this.#queue.length; lost++) note('commit-lost');
    this.#queue = [];
    this.#open = undefined;
  }
}

interface StoreUnderneath {
  row(key: string): Row | undefined;
  rows(): ReadonlyMap<string, Row>;
  commit(changes: readonly Change[]): Promise<boolean>;
  /** Waits for the commits under way. */
  idle(): Promise<void>;
  leave(): void;
}

/** The store of one process on a disk; dead together with it. */
class CrashStore implements Store {
  readonly #life: Life;
  readonly #disk: StoreUnderneath;
  #closed = false;

  constructor(life: Life, disk: StoreUnderneath) {
    this.#life = life;
    this.#disk = disk;
  }

  async get(key: string): Promise<Row | undefined> {
    await this.#check();
    const row = this.#disk.row(key);
    return row && copy(row);
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    await this.#check();
    return this.#life.lasting(this.#disk.commit(changes));
  }

  async scan(prefix: string, options: ScanOptions = {}): Promise<readonly ScannedRow[]> {
    await this.#check();
    const { after, limit } = options;
    return [...this.#disk.rows()]
      .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([key, row]) => ({ key, row: copy(row) }));
  }

  async close(): Promise<void> {
    if (this.#closed || !this.#life.lasts) return;
    this.#closed = true;
    await this.#life.lasting(this.#disk.idle());
    this.#disk.leave();
  }

  async #check(): Promise<void> {
    await this.#life.lasting(Promise.resolve());
    if (this.#closed) throw new SymmetraError('STORE_CLOSED', 'the store is closed');
  }
}

function copy({ value, version }: Row): Row {
  return { value: value.slice(), version };
}
