import type { Bus } from '@symmetra/bus';
import { Secret, SymmetraError } from '@symmetra/crypto';
import { checkIntroduction, encodeDeviceFacts, encodeIntroductionPart } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import type { Session } from '../presence/session-table.js';
import type { SealedOutcome } from '../session/sealed-handler.js';
import { INTRODUCE } from './introductions.js';

const TIMEOUT_MS = 5000;

export interface IntroducerParts {
  readonly bus: Bus;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
}

interface IntroductionCall {
  readonly header: Uint8Array;
  readonly share: Uint8Array;
}

/** ENR-10: introduces devices of this node to a node that the descriptor names newly. */
export class Introducer {
  readonly #parts: IntroducerParts;

  constructor(parts: IntroducerParts) {
    this.#parts = parts;
  }

  /**
   * Passes the header, this node's share and what this node knows of the device on to the new node. The receipt says
   * what that one took.
   * @throws what {@link checkIntroduction} throws, DEVICE_REVOKED, NODE_UNREACHABLE, and what the new node throws
   */
  async answer(session: Session, plaintext: Uint8Array): Promise<SealedOutcome> {
    const request = decode('symmetra.enrolment.v1.IntroduceRequest', plaintext);
    try {
      return await this.#pass(session, request);
    } finally {
      request.share.fill(0);
    }
  }

  async #pass(session: Session, request: IntroductionCall): Promise<SealedOutcome> {
    const { bus, state, devices } = this.#parts;
    const node = { nodeId: state.identity.id, descriptor: state.descriptor };
    const { header } = checkIntroduction(state.context, node, session.deviceId, request);
    if (state.isDeviceRevoked(session.deviceHex)) {
      throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
    }
    const { account, name, tags } = await devices.read(session.deviceHex);
    const share = Secret.of('Share', Uint8Array.from(request.share));
    const facts = encodeDeviceFacts({ account, name, tags });
    const part = encodeIntroductionPart({ header: Uint8Array.from(request.header), share, facts });
    try {
      const headerHash = await bus.request(header.nodeId, INTRODUCE, part, { timeoutMs: TIMEOUT_MS });
      return { reply: encode('symmetra.enrolment.v1.IntroduceResponse', { headerHash }) };
    } catch (error) {
      const silent = error instanceof SymmetraError && SILENT.has(error.code);
      if (!silent) throw error;
      throw new SymmetraError('NODE_UNREACHABLE', 'the new node did not answer', {}, { cause: error });
    } finally {
      part.fill(0);
      share.wipe();
    }
  }
}

/** What the bus says of a node that is not up, or was not told of its place yet. */
const SILENT = new Set(['BUS_TIMEOUT', 'NO_HANDLER', 'INSTANCE_GONE']);
