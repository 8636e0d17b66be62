import type { OpenReplyInput } from '@symmetra/rpc';
import type { ControlState } from '../control/control-state.js';

/** CTL-1: what anyone may ask. Whoever gets the descriptor checks it by the hash of the root's key. */
export class NetworkService {
  readonly #state: ControlState;

  constructor(state: ControlState) {
    this.#state = state;
  }

  async descriptor(): Promise<OpenReplyInput<'getDescriptor'>> {
    return { ...this.#state.signedDescriptor };
  }
}
