import { SymmetraError } from '@symmetra/crypto';

/*
 * PKCS#11 v2.40, section 5.1: the return values (CKR) that a generator of random numbers meets. <pkcs11t.h> has their
 * numbers.
 */

export const CKR_OK = 0x00;
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;
export const CKR_USER_ALREADY_LOGGED_IN = 0x100;

const NAMES: Readonly<Record<number, string>> = {
  0x02: 'CKR_HOST_MEMORY',
  0x03: 'CKR_SLOT_ID_INVALID',
  0x05: 'CKR_GENERAL_ERROR',
  0x06: 'CKR_FUNCTION_FAILED',
  0x07: 'CKR_ARGUMENTS_BAD',
  0x09: 'CKR_NEED_TO_CREATE_THREADS',
  0x0a: 'CKR_CANT_LOCK',
  0x30: 'CKR_DEVICE_ERROR',
  0x31: 'CKR_DEVICE_MEMORY',
  0x32: 'CKR_DEVICE_REMOVED',
  0x50: 'CKR_FUNCTION_CANCELED',
  0x54: 'CKR_FUNCTION_NOT_SUPPORTED',
  0x90: 'CKR_OPERATION_ACTIVE',
  0xa0: 'CKR_PIN_INCORRECT',
  0xa2: 'CKR_PIN_LEN_RANGE',
  0xa3: 'CKR_PIN_EXPIRED',
  0xa4: 'CKR_PIN_LOCKED',
  0xb0: 'CKR_SESSION_CLOSED',
  0xb1: 'CKR_SESSION_COUNT',
  0xb3: 'CKR_SESSION_HANDLE_INVALID',
  0xb4: 'CKR_SESSION_PARALLEL_NOT_SUPPORTED',
  0xe0: 'CKR_TOKEN_NOT_PRESENT',
  0xe1: 'CKR_TOKEN_NOT_RECOGNIZED',
  0x101: 'CKR_USER_NOT_LOGGED_IN',
  0x102: 'CKR_USER_PIN_NOT_INITIALIZED',
  0x104: 'CKR_USER_ANOTHER_ALREADY_LOGGED_IN',
  0x121: 'CKR_RANDOM_NO_RNG',
  0x150: 'CKR_BUFFER_TOO_SMALL',
  0x190: 'CKR_CRYPTOKI_NOT_INITIALIZED',
};

/** @throws PKCS11_FAILED with the number of the return value, unless that is one of `accepted`. */
export function checkResult(call: string, result: number, accepted: readonly number[] = [CKR_OK]): void {
  if (accepted.includes(result)) return;
  const name = NAMES[result] ?? `0x${result.toString(16).padStart(8, '0')}`;
  throw new SymmetraError('PKCS11_FAILED', `${call} of the PKCS#11 module answered ${name}`, {
    call,
    ckr: result,
  });
}
