import type { Subscription } from 'nats';
import type { Hails } from './hails.js';
import type { NatsConnection } from './nats-connection.js';
import { NatsNames, isInstance } from './nats-names.js';
import type { WireAddress } from './wire.js';

/** {@link Hails} over the core of NATS. */
export class NatsHails implements Hails {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #instance: string;
  #subscription: Subscription | undefined;

  /** @throws SymmetraError NODE_ID_UNUSABLE */
  constructor(connection: NatsConnection, networkIdHex: string, { node, instance }: Required<WireAddress>) {
    this.#connection = connection;
    this.#subject = new NatsNames(networkIdHex).everyone(node);
    this.#instance = instance;
  }

  hail(): void {
    if (!this.#connection.connected) return;
    try {
      this.#connection.core.publish(this.#subject, Buffer.from(this.#instance, 'latin1'));
    } catch {
      // The connection broke in this moment: the next call is heard.
    }
  }

  async listen(onHail: (instance: string) => void): Promise<void> {
    this.#subscription = this.#connection.core.subscribe(this.#subject, {
      callback: (refusal, message) => {
        if (refusal !== null) return;
        const instance = Buffer.from(message.data).toString('latin1');
        if (isInstance(instance) && instance !== this.#instance) onHail(instance);
      },
    });
    await this.#connection.core.flush();
  }

  close(): void {
    if (!this.#connection.core.isClosed()) this.#subscription?.unsubscribe();
  }
}
