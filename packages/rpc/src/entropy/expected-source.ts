import { SymmetraError } from '@symmetra/crypto';
import type { Message } from '../codec.js';

/** What this side claims of a source; the server must claim no less. */
export interface ExpectedSource {
  readonly name: string;
  readonly physical: boolean;
  readonly quantum: boolean;
  readonly simulated: boolean;
  readonly raw: boolean;
  /** 1 to 8. */
  readonly bitsPerSample: number;
  /** In bits. */
  readonly minEntropyPerSample: number;
}

/**
 * Compares what a server says of a source with what this side will say of it: nothing may be called physical, quantum
 * or raw, or credited with more, than the server calls it; and what it computes is called simulated here too.
 * @throws SOURCE_BAD_PAYLOAD, with the field in `details.field`.
 */
export function checkSource(
  expected: ExpectedSource,
  stated: Message<'symmetra.entropy.v1.SourceDescription'>,
): void {
  const contradictions: Readonly<Record<string, boolean>> = {
    physical: expected.physical && !stated.physical,
    quantum: expected.quantum && !stated.quantum,
    raw: expected.raw && !stated.raw,
    simulated: stated.simulated && !expected.simulated,
    bitsPerSample: stated.bitsPerSample !== expected.bitsPerSample,
    minEntropyPerSample: !(expected.minEntropyPerSample <= stated.minEntropyPerSample),
  };
  const field = Object.keys(contradictions).find((name) => contradictions[name] === true);
  if (field === undefined) return;
  throw new SymmetraError('SOURCE_BAD_PAYLOAD', `the server describes another source: "${field}" differs`, {
    source: expected.name,
    field,
  });
}
