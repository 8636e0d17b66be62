/** What a token says of itself (CK_TOKEN_INFO), as far as a source of random numbers asks. */
export interface TokenInfo {
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  /** CKF_RNG: it has a generator of random numbers of its own. */
  readonly hasRng: boolean;
}

/*
 * typedef struct CK_TOKEN_INFO { CK_UTF8CHAR label[32]; CK_UTF8CHAR manufacturerID[32]; CK_UTF8CHAR model[16];
 *   CK_CHAR serialNumber[16]; CK_FLAGS flags; CK_ULONG ulMaxSessionCount, ulSessionCount, ulMaxRwSessionCount,
 *   ulRwSessionCount, ulMaxPinLen, ulMinPinLen, ulTotalPublicMemory, ulFreePublicMemory, ulTotalPrivateMemory,
 *   ulFreePrivateMemory; CK_VERSION hardwareVersion, firmwareVersion; CK_CHAR utcTime[16]; }
 */
const LABEL = 0;
const MANUFACTURER = 32;
const MODEL = 64;
const FLAGS = 96;
/** 96 of text, 11 words, 4 of versions and 16 of time, padded to whole words. */
export const TOKEN_INFO_BYTES = 208;

const CKF_RNG = 0x01n;

/** Reads the structure; texts are padded with blanks and have no end mark. */
export function decodeTokenInfo(bytes: Uint8Array<ArrayBuffer>): TokenInfo {
  const text = (start: number, end: number): string =>
    new TextDecoder().decode(bytes.subarray(start, end)).replace(/[ \0]+$/, '');
  const [flags = 0n] = new BigUint64Array(bytes.buffer, bytes.byteOffset + FLAGS, 1);
  return {
    label: text(LABEL, MANUFACTURER),
    manufacturer: text(MANUFACTURER, MODEL),
    model: text(MODEL, MODEL + 16),
    hasRng: (flags & CKF_RNG) !== 0n,
  };
}
