import { SymmetraError, sha256, toBase32, toHex } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH } from '@symmetra/protocol';
import { decode } from '@symmetra/rpc';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import type { Session } from '../presence/session-table.js';
import type { SealedOutcome } from '../session/sealed-handler.js';

const REASONS: ReadonlySet<string> = new Set([
  'SHARE_MISMATCH',
  'EPHEMERAL_KEY_MISMATCH',
  'HEADER_MISMATCH',
  'LIMITS_MISMATCH',
  'DELIVERY_MISSING',
]);
const EMPTY_REPLY = new Uint8Array(0);

/** PAIR-11: a report is evidence for people; it is written down and changes nothing. */
export class Report {
  readonly #state: ControlState;
  readonly #audit: AuditLog;
  #count = 0;

  constructor(state: ControlState, audit: AuditLog) {
    this.#state = state;
    this.#audit = audit;
  }

  /** @throws BAD_MESSAGE */
  answer(session: Session, plaintext: Uint8Array): SealedOutcome {
    const report = decode('symmetra.pairwise.v1.ReportRequest', plaintext);
    const { keyId, node, initiator, reason, evidence, headerHash } = report;
    const known = this.#state.brokerRules.nodes.includes(node);
    if (
      !known ||
      !REASONS.has(reason) ||
      keyId.length !== SHORT_ID_LENGTH ||
      initiator.length !== DEVICE_ID_LENGTH
    ) {
      throw new SymmetraError(
        'BAD_MESSAGE',
        'a report names key, node, initiator and one of the known reasons',
      );
    }
    this.#count += 1;
    this.#audit.reported({
      device: session.device,
      peer: toBase32(initiator),
      accused: node,
      keyId: toHex(keyId),
      reason,
      evidence: toHex(sha256(headerHash, evidence)),
      count: this.#count,
    });
    return { reply: EMPTY_REPLY };
  }
}
