import { publicCode } from '@symmetra/rpc';
import type { LogFields, Logger } from '@symmetra/runtime';

/** Who made a call, as far as the node knows. */
export interface AuditedCall {
  /** Device id, base32. */
  readonly device?: string;
  /** SHA-256 of the administrator's public key, hexadecimal. */
  readonly administrator?: string;
}

/** The lines that tell later who did what: one for each audited call, one for each thing worth an inquiry. */
export class AuditLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger.child({ component: 'audit' });
  }

  /** A call of an audited method was answered: `failure` is what it failed with. */
  answered(method: string, caller: AuditedCall, failure?: unknown): void {
    const code = failure === undefined ? 'OK' : publicCode(failure);
    this.#logger.info({ method, ...caller, code }, 'A call was answered.');
  }

  /** Another offer that verifies was made for a token whose use is taken (ENR-3). */
  tokenContested(fields: Pick<LogFields, 'tokenId' | 'device'>): void {
    this.#logger.warn({ event: 'token-contested', ...fields }, 'A token is contested.');
  }

  /** k nodes introduced a device that this node did not know (ENR-12). */
  introduced(fields: Pick<LogFields, 'device' | 'account'>): void {
    this.#logger.info({ event: 'device-introduced', ...fields }, 'A device was introduced.');
  }

  /** Two nodes do not say the same of a device (ENR-11): one of them lies, or the device asked twice. */
  introductionDiffers(fields: Pick<LogFields, 'device' | 'nodes'>): void {
    this.#logger.warn({ event: 'introduction-differs', ...fields }, 'Nodes introduce a device differently.');
  }

  /** A party proved that it holds a state which the device's chain has left (ATK-9). */
  cloneSuspected(device: string): void {
    this.#logger.warn({ event: 'clone-suspected', device }, 'A clone of a device is suspected.');
  }

  /** A device reports a node and a dealer; people judge (PAIR-11). */
  reported(
    fields: Pick<LogFields, 'device' | 'peer' | 'accused' | 'keyId' | 'reason' | 'evidence' | 'count'>,
  ): void {
    this.#logger.warn({ event: 'report', ...fields }, 'A device reported a bad delivery.');
  }

  /** A control event is in force at this node. */
  controlEvent(
    fields: Pick<LogFields, 'sequence' | 'event' | 'device' | 'keyId' | 'tokenId' | 'account'>,
  ): void {
    this.#logger.info(fields, 'A control event was applied.');
  }

  /** Somebody brought another control event for a number that has one (CTL-3). */
  controlConflict(sequence: number): void {
    this.#logger.error(
      { event: 'control-conflict', sequence },
      'A control event has a number that is taken.',
    );
  }

  /** k other nodes have another control event of a number: the node answers no device until people have looked. */
  logForked(sequence: number): void {
    this.#logger.error({ event: 'log-fork', sequence }, 'The control log is forked; the node has halted.');
  }
}
