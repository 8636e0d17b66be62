import { SymmetraError } from '@symmetra/crypto';

/*
 * Response codes (TCG TPM 2.0 Library, part 2, 6.6). The upper half names the layer that answered when it was not the
 * TPM itself, such as the resource manager of the kernel. In the lower half bit 7 tells format one, which says in
 * bits 8 to 11 which handle, session or parameter is meant.
 */

const FORMAT_ONE = 0x080;
const PARAMETER = 0x040;
const FORMAT_ONE_ERROR = 0x0bf;

export const TPM_RC_INITIALIZE = 0x100;
export const TPM_RC_NEEDS_TEST = 0x153;
const TPM_RC_YIELDED = 0x908;
const TPM_RC_TESTING = 0x90a;
const TPM_RC_RETRY = 0x922;

/** Sent again, the same command is expected to succeed. */
const RETRIED = new Set([TPM_RC_YIELDED, TPM_RC_TESTING, TPM_RC_RETRY]);

const NAMES: Readonly<Record<number, string>> = {
  0x01e: 'TPM_RC_BAD_TAG',
  0x084: 'TPM_RC_VALUE',
  0x095: 'TPM_RC_SIZE',
  0x09a: 'TPM_RC_INSUFFICIENT',
  [TPM_RC_INITIALIZE]: 'TPM_RC_INITIALIZE',
  0x101: 'TPM_RC_FAILURE',
  0x120: 'TPM_RC_DISABLED',
  0x12d: 'TPM_RC_UPGRADE',
  0x130: 'TPM_RC_REBOOT',
  0x142: 'TPM_RC_COMMAND_SIZE',
  0x143: 'TPM_RC_COMMAND_CODE',
  [TPM_RC_NEEDS_TEST]: 'TPM_RC_NEEDS_TEST',
  0x904: 'TPM_RC_MEMORY',
  [TPM_RC_YIELDED]: 'TPM_RC_YIELDED',
  0x909: 'TPM_RC_CANCELED',
  [TPM_RC_TESTING]: 'TPM_RC_TESTING',
  0x921: 'TPM_RC_LOCKOUT',
  [TPM_RC_RETRY]: 'TPM_RC_RETRY',
};

/** A response code without the layer, and of format one without what it points at. */
export function baseCode(rc: number): number {
  const code = rc & 0xffff;
  return (code & FORMAT_ONE) === 0 ? code : code & FORMAT_ONE_ERROR;
}

export function isRetried(rc: number): boolean {
  return RETRIED.has(baseCode(rc));
}

/** @throws TPM_FAILED with the response code in `details.rc`, unless it is that of success. */
export function checkResponseCode(rc: number): void {
  if (rc === 0) return;
  throw new SymmetraError('TPM_FAILED', `the TPM answered ${describe(rc)}`, { rc });
}

function describe(rc: number): string {
  const name = NAMES[baseCode(rc)] ?? `0x${rc.toString(16).padStart(8, '0')}`;
  const index = (rc >> 8) & 0x0f;
  if ((rc & FORMAT_ONE) === 0 || index === 0) return name;
  if ((rc & PARAMETER) !== 0) return `${name} for parameter ${index}`;
  return index < 8 ? `${name} for handle ${index}` : `${name} for session ${index - 8}`;
}
