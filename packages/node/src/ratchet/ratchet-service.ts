import type { Bus } from '@symmetra/bus';
import { SymmetraError, toBase32 } from '@symmetra/crypto';
import { inspectProof, inspectR1, inspectR3, judgeProof, receiveR1, receiveR3 } from '@symmetra/protocol';
import type { RandomBytes } from '@symmetra/entropy';
import type { OpenReplyInput } from '@symmetra/rpc';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import { hexOf } from '../rows/row-keys.js';
import type { Siblings } from '../replicas/siblings.js';
import type { Challenges } from './challenges.js';

export interface RatchetServiceParts {
  readonly random: RandomBytes;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
  readonly challenges: Challenges;
  readonly audit: AuditLog;
  readonly bus: Bus;
  readonly siblings: Siblings;
}

/** Between the processes of one node: a proof whose challenge another one issued. */
const PROOF_SUBJECT = 'proof';
const DONE = new Uint8Array(0);

/** The node's side of ratchet steps (ATK-2 to ATK-9). Every answer is durable before it is sent. */
export class RatchetService {
  readonly #parts: RatchetServiceParts;

  constructor(parts: RatchetServiceParts) {
    this.#parts = parts;
    parts.bus.serve(PROOF_SUBJECT, async (from, proof) => {
      if (from !== parts.bus.self) {
        throw new SymmetraError('WRONG_NODE', 'only a process of the same node hands on proofs');
      }
      await this.#judge(proof);
      return DONE;
    });
  }

  /**
   * ATK-3, ATK-4: R1 gets R2; a party that shows an epoch which the chain has left gets a challenge.
   * @throws DEVICE_UNKNOWN, DEVICE_REVOKED, and what `receiveR1` throws
   */
  async step(r1: Uint8Array): Promise<OpenReplyInput<'step'>> {
    const { random, state, devices, challenges } = this.#parts;
    const { deviceId, nextSuiteId } = inspectR1(state.context, r1);
    const deviceHex = this.#deviceOf(deviceId);
    const coinsLength = state.context.suites.get(nextSuiteId).kem.coinsLength;
    return devices.update<OpenReplyInput<'step'>>(deviceHex, (row) => {
      const fresh = {
        nonce: random(32),
        coins: random(coinsLength),
        entropy: random(32),
        codeNonce: random(32),
      };
      const { state: chain, output } = receiveR1(state.context, row.chain, state.stepRules, r1, fresh);
      fresh.entropy.fill(0);
      if (output.kind === 'challenge') {
        return { row, output: { challenge: challenges.issue(deviceHex, row.chain) } };
      }
      return { row: chain === row.chain ? row : { ...row, chain }, output: { r2: output.r2 } };
    });
  }

  /** ATK-6, ATK-7: R3 gets R4. @throws DEVICE_UNKNOWN, DEVICE_REVOKED, and what `receiveR3` throws */
  async commit(r3: Uint8Array): Promise<OpenReplyInput<'commit'>> {
    const { state, devices } = this.#parts;
    const { deviceId } = inspectR3(state.context, r3);
    return devices.update(this.#deviceOf(deviceId), (row) => {
      const { state: chain, output } = receiveR3(state.context, row.chain, r3);
      return { row: { ...row, chain }, output: { r4: output } };
    });
  }

  /**
   * ATK-9: judges a proof. Without a challenge, or behind it, it is dropped silently.
   * @throws AUTHENTICATION_FAILED, BAD_ENCODING, WRONG_NETWORK, WRONG_VERSION
   */
  async prove(proof: Uint8Array): Promise<OpenReplyInput<'prove'>> {
    if (!(await this.#judge(proof))) await this.#parts.siblings.tell(PROOF_SUBJECT, proof);
    return {};
  }

  /** @returns whether this process had issued a challenge */
  async #judge(proof: Uint8Array): Promise<boolean> {
    const { state, devices, challenges, audit } = this.#parts;
    const { deviceId } = inspectProof(state.context, proof);
    const deviceHex = hexOf(deviceId);
    const challenge = challenges.of(deviceHex);
    if (challenge === undefined) return false;
    const verdict = await devices.update(deviceHex, (row) => {
      const output = judgeProof(state.context, row.chain, challenge, proof);
      const news = output === 'left' && !row.cloneSuspected;
      return { row: news ? { ...row, cloneSuspected: true } : row, output };
    });
    challenges.settle(deviceHex);
    if (verdict === 'left') audit.cloneSuspected(toBase32(deviceId));
    return true;
  }

  /** @throws DEVICE_REVOKED */
  #deviceOf(deviceId: Uint8Array): string {
    const deviceHex = hexOf(deviceId);
    if (!this.#parts.state.isDeviceRevoked(deviceHex)) return deviceHex;
    throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
  }
}
