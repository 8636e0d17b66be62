import type { ServerWritableStream } from '@grpc/grpc-js';
import { SymmetraError } from '@symmetra/crypto';
import { asBuffer, decode, encode } from './codec.js';

const MAX_WATCHERS = 1000;

/** The states of the standard health protocol. */
export type ServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

type WatchCall = ServerWritableStream<Buffer, Buffer>;

/** The standard health service: one state for all services of a server. */
export class Health {
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Set<WatchCall>();
  #serving = false;

  /** @param services full names; the empty name stands for the whole server. */
  constructor(services: Iterable<string>) {
    this.#services = new Set(['', ...services]);
  }

  /** Says whether calls are answered, and tells all who watch. */
  setServing(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const call of this.#watchers) this.#tell(call);
  }

  /** @throws SymmetraError NO_SUCH_SERVICE */
  check(service: string): ServingStatus {
    const status = this.#statusOf(service);
    if (status === 'SERVICE_UNKNOWN') throw new SymmetraError('NO_SUCH_SERVICE', 'there is no such service');
    return status;
  }

  /**
   * Sends the state of a service now and after each change, until the caller leaves.
   * @throws SymmetraError BAD_MESSAGE, RATE_LIMITED when too many watch already.
   */
  watch(call: WatchCall): void {
    decode('grpc.health.v1.HealthCheckRequest', call.request);
    if (this.#watchers.size >= MAX_WATCHERS) {
      throw new SymmetraError('RATE_LIMITED', 'too many callers watch the health of the node');
    }
    this.#watchers.add(call);
    call.once('close', () => this.#watchers.delete(call));
    this.#tell(call);
  }

  /** Ends all watches. */
  close(): void {
    for (const call of this.#watchers) call.end();
    this.#watchers.clear();
  }

  #statusOf(service: string): ServingStatus {
    if (!this.#services.has(service)) return 'SERVICE_UNKNOWN';
    return this.#serving ? 'SERVING' : 'NOT_SERVING';
  }

  #tell(call: WatchCall): void {
    const { service } = decode('grpc.health.v1.HealthCheckRequest', call.request);
    call.write(asBuffer(encode('grpc.health.v1.HealthCheckResponse', { status: this.#statusOf(service) })));
  }
}
