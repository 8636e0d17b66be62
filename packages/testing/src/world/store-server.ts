import { SymmetraError } from '@symmetra/crypto';
import type { Change, Row, ScanOptions, ScannedRow, Store } from '@symmetra/storage';
import type { CrashDisk } from './crash-disk.js';
import { Life } from './life.js';
import type { Timeline } from './timeline.js';

/** A process that uses the server. */
export interface StoreClient {
  readonly life: Life;
  /** Whether nothing passes between the two now. */
  readonly isCutOff: () => boolean;
}

const WAY_MS = 1;
const PAUSE_MS = 50;
/** How long a request is tried again, and an answer waited for. */
const DEADLINE_MS = 3000;

/**
 * A server that keeps the rows of a node of several processes, as Redis does: it lives on when they die, what it
 * acknowledged is durable, and who does not hear from it does not know whether a change was made.
 */
export class StoreServer {
  readonly #timeline: Timeline;
  readonly #disk: CrashDisk;
  #life = new Life();
  #store: Store;

  constructor(timeline: Timeline, disk: CrashDisk) {
    this.#timeline = timeline;
    this.#disk = disk;
    this.#store = disk.open(this.#life);
  }

  /** Whether it is up. */
  get isUp(): boolean {
    return this.#life.lasts;
  }

  /** The server dies: what it had not acknowledged is there or not. */
  crash(): void {
    this.#life.end();
  }

  start(): void {
    if (this.isUp) return;
    this.#life = new Life();
    this.#store = this.#disk.open(this.#life);
  }

  /** The store as a process reaches it. */
  open(client: StoreClient): Store {
    return new ServedStore(client, this.#timeline, {
      life: () => this.#life,
      store: () => this.#store,
    });
  }
}

interface Served {
  readonly life: () => Life;
  readonly store: () => Store;
}

/** The store of one process, at the other end of a connection. */
class ServedStore implements Store {
  readonly #client: StoreClient;
  readonly #timeline: Timeline;
  readonly #server: Served;
  /** Changes reach the server in the order in which they were made. */
  #sent: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(client: StoreClient, timeline: Timeline, server: Served) {
    this.#client = client;
    this.#timeline = timeline;
    this.#server = server;
  }

  async get(key: string): Promise<Row | undefined> {
    return this.#read(async (store) => store.get(key));
  }

  async scan(prefix: string, options?: ScanOptions): Promise<readonly ScannedRow[]> {
    return this.#read(async (store) => store.scan(prefix, options));
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    this.#checkOpen();
    const copies = changes.map((change) => ({ ...change, value: change.value?.slice() ?? null }));
    const deadline = this.#timeline.now + DEADLINE_MS;
    const sent = this.#sent.then(async () => this.#arrive(deadline));
    this.#sent = sent.catch(() => undefined);
    await sent;
    return this.#answer(this.#server.store().commit(copies), deadline);
  }

  async close(): Promise<void> {
    if (this.#closed || !this.#client.life.lasts) return;
    this.#closed = true;
    await this.#client.life.lasting(this.#sent);
  }

  /** What changes nothing is asked again when no answer came. */
  async #read<T>(ask: (store: Store) => Promise<T>): Promise<T> {
    this.#checkOpen();
    const deadline = this.#timeline.now + DEADLINE_MS;
    for (;;) {
      await this.#arrive(deadline);
      try {
        return await this.#answer(ask(this.#server.store()), deadline);
      } catch (error) {
        if (!(error instanceof SymmetraError) || error.code !== 'STORE_FAILED') throw error;
      }
    }
  }

  /** A request comes to the server. @throws STORE_UNAVAILABLE: nothing changed */
  async #arrive(deadline: number): Promise<void> {
    for (let ms = WAY_MS; this.#timeline.now < deadline; ms = PAUSE_MS) {
      await this.#wait(ms);
      if (this.#isReached()) return;
    }
    throw new SymmetraError('STORE_UNAVAILABLE', 'the server can not be used now');
  }

  /** @throws STORE_FAILED when the answer does not come: nobody knows what changed */
  async #answer<T>(outcome: Promise<T>, deadline: number): Promise<T> {
    const life = this.#server.life();
    const answer = new Promise<T>((resolve, reject) => {
      const lost = (): void => reject(new SymmetraError('STORE_FAILED', 'the server did not answer'));
      const forget = life.onEnd(lost);
      const isLate = this.#timeline.after(Math.max(WAY_MS, deadline - this.#timeline.now), lost);
      const settle = (): void => {
        forget();
        this.#timeline.after(WAY_MS, () => {
          if (this.#client.isCutOff() || !life.lasts) return;
          isLate();
          resolve(outcome);
        });
      };
      outcome.then(settle, settle);
    });
    return this.#client.life.lasting(answer);
  }

  #isReached(): boolean {
    return this.#server.life().lasts && !this.#client.isCutOff();
  }

  async #wait(ms: number): Promise<void> {
    await this.#client.life.lasting(
      new Promise<void>((resolve) => {
        this.#timeline.after(ms, resolve);
      }),
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw new SymmetraError('STORE_CLOSED', 'the store is closed');
  }
}
