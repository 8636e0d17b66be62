import type { OpenReplyInput, OpenRequest } from '@symmetra/rpc';
import type { ControlState } from '../control/control-state.js';
import type { LogRows } from '../control/log-rows.js';
import { toNotice } from '../control/notice.js';
import { signedDescriptorOf } from './descriptor-exchange.js';
import type { DescriptorExchange } from './descriptor-exchange.js';

/**
 * CTL-1, CTL-5: what anyone may ask. Whoever gets the descriptor checks it by the hash of the root's key, and the policy
 * by the administrators' keys in the descriptor.
 */
export class NetworkService {
  readonly #state: ControlState;
  readonly #log: LogRows;
  readonly #exchange: DescriptorExchange;

  constructor(state: ControlState, log: LogRows, exchange: DescriptorExchange) {
    this.#state = state;
    this.#log = log;
    this.#exchange = exchange;
  }

  async descriptor(): Promise<OpenReplyInput<'getDescriptor'>> {
    const { signedDescriptor, policyRevision } = this.#state;
    const event = policyRevision === 0 ? undefined : await this.#log.event(policyRevision);
    return { ...signedDescriptor, ...(event !== undefined && { policy: toNotice(event) }) };
  }

  /** @throws as {@link DescriptorExchange.put} */
  async put(request: OpenRequest<'putDescriptor'>): Promise<OpenReplyInput<'putDescriptor'>> {
    return { version: await this.#exchange.put(signedDescriptorOf(request)) };
  }
}
