import { SymmetraError, toBase32, toHex } from '@symmetra/crypto';
import {
  FIRST_STAGE,
  beginNodeChain,
  deviceIdOf,
  inspectConfirmation,
  inspectOffer,
  receiveConfirmation,
  receiveOffer,
  screenOffer,
} from '@symmetra/protocol';
import type { EnrolledDevice } from '@symmetra/protocol';
import type { RandomBytes } from '@symmetra/entropy';
import type { OpenReplyInput } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { Change } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import { hexOf } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import type { TokenRow, TokenRows } from './token-rows.js';

export interface EnrolmentServiceParts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly state: ControlState;
  readonly tokens: TokenRows;
  readonly devices: DeviceRegistry;
  readonly audit: AuditLog;
}

/** The node's side of enrolment (ENR-2 to ENR-7). Every answer is durable before it is sent. */
export class EnrolmentService {
  readonly #parts: EnrolmentServiceParts;

  constructor(parts: EnrolmentServiceParts) {
    this.#parts = parts;
  }

  /** ENR-3, ENR-4. @throws TOKEN_UNKNOWN, and what `receiveOffer` throws */
  async offer(offer: Uint8Array): Promise<OpenReplyInput<'offer'>> {
    const { clock, random, state, tokens, audit } = this.#parts;
    const { tokenId, suiteId, enrolmentNonce } = inspectOffer(state.context, offer);
    const deviceId = deviceIdOf(tokenId, enrolmentNonce);
    const coinsLength = state.context.suites.get(suiteId).kem.coinsLength;
    await tokens.screenOffer(tokenId, deviceId, (secret) => {
      screenOffer(state.context, state.enrolmentNode, secret, offer);
    });
    try {
      const answer = await tokens.update(tokenId, deviceId, ({ record }) => {
        const fresh = { nonce: random(32), coins: random(coinsLength) };
        const step = receiveOffer(state.context, state.enrolmentNode, record, offer, clock.now(), fresh);
        return { record: step.state, output: step.output };
      });
      return { answer };
    } catch (error) {
      if (error instanceof SymmetraError && error.code === 'TOKEN_CONTESTED') {
        audit.tokenContested({ tokenId: toHex(tokenId), device: toBase32(deviceId) });
      }
      throw error;
    }
  }

  /**
   * ENR-6, ENR-7: the use is spent and the device's chain begins, in one commit.
   * @throws TOKEN_UNKNOWN, RESERVATION_UNKNOWN, AUTHENTICATION_FAILED, DEVICE_REVOKED, BAD_ENCODING
   */
  async confirm(confirmation: Uint8Array): Promise<OpenReplyInput<'confirm'>> {
    const { state, tokens, devices } = this.#parts;
    const { tokenId, deviceId } = inspectConfirmation(confirmation);
    const deviceHex = hexOf(deviceId);
    if (state.isDeviceRevoked(deviceHex)) throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
    await tokens.screenConfirmation(confirmation);
    const { acknowledgement, enrolled } = await tokens.update(tokenId, deviceId, (token) => {
      const { state: record, output } = receiveConfirmation(token.record, confirmation);
      const also = output.enrolled === undefined ? [] : [this.#enrol(deviceHex, output.enrolled, token)];
      return { record, output, also };
    });
    if (enrolled !== undefined) devices.noteStage(deviceHex, FIRST_STAGE);
    return { acknowledgement };
  }

  /** The row of a device that has just enrolled (ATK-1). */
  #enrol(deviceHex: string, enrolled: EnrolledDevice, token: TokenRow): Change {
    const { clock, state, devices } = this.#parts;
    const { state: chain } = beginNodeChain(state.context, state.identity.id, enrolled, FIRST_STAGE);
    const change = devices.insertion(deviceHex, {
      chain,
      name: token.introduced?.name ?? enrolled.name,
      account: token.record.account,
      tags: token.tags,
      tokenId: token.record.tokenId,
      enrolledMs: clock.now(),
      cloneSuspected: false,
    });
    wipeState(chain);
    return change;
  }
}
