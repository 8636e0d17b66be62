import { SymmetraError } from '@symmetra/crypto';
import type { Failure } from '../exit.js';
import type { Appended } from './control-log.js';

/** What people read about the nodes that applied an event. */
export function receiptSentences({ receipts }: Appended): string[] {
  const applied = receipts.filter((receipt) => receipt.applied).map(({ node }) => node);
  const missing = receipts.filter((receipt) => !receipt.applied);
  return [
    `applied by ${applied.length === 0 ? 'no node' : applied.join(', ')}`,
    ...missing.map(({ node, code = '' }) => `not yet applied by ${node} (${code})`),
  ];
}

/** A warning when some nodes have not applied an event that is in force without them. */
export function missingReceipts(appended: Appended): Failure | undefined {
  const missing = appended.receipts.filter((receipt) => !receipt.applied).map(({ node }) => node);
  if (missing.length === 0) return undefined;
  return {
    code: 'RECEIPTS_MISSING',
    message: `not yet applied by ${missing.join(', ')}; a node that comes back catches up by itself`,
  };
}

/**
 * An event is done when enough nodes have applied it; a revocation, when all have.
 * @throws RECEIPTS_MISSING
 */
export function requireReceipts(appended: Appended, needed: number): void {
  const applied = appended.receipts.filter((receipt) => receipt.applied).length;
  if (applied >= needed) return;
  const { message } = missingReceipts(appended) ?? { message: 'too few nodes answered' };
  throw new SymmetraError('RECEIPTS_MISSING', message, { applied, needed });
}
