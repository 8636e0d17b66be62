import { SymmetraError } from '@symmetra/crypto';
import { checkResponseCode } from './response-code.js';

/*
 * The few commands of TPM 2.0 that a source of random numbers needs, as bytes (TCG TPM 2.0 Library, part 3; numbers
 * from part 2, revision 1.59). Everything is big-endian. A command or response is a tag of 2 bytes, the whole length
 * in 4, the command or response code in 4, then its parameters.
 */

const TPM_ST_NO_SESSIONS = 0x8001;
/** The tag of a TPM 1.2 and of a TPM that does not know the tag of the command (part 1, 18.8). */
const TPM_ST_RSP_COMMAND = 0x00c4;
const TPM_SU_CLEAR = 0x0000;

const TPM_CC_SELF_TEST = 0x0143;
const TPM_CC_STARTUP = 0x0144;
const TPM_CC_STIR_RANDOM = 0x0146;
const TPM_CC_GET_RANDOM = 0x017b;

const HEADER_BYTES = 10;
/** The length stands behind the tag. */
const LENGTH_AT = 2;
const LENGTH_END = 6;
/** The longest response that is taken; no TPM buffers more. */
export const TPM_MAX_RESPONSE_BYTES = 4096;
/** The most bytes that GetRandom is asked for: the largest digest that any TPM has. */
export const TPM_MAX_RANDOM_BYTES = 64;
/** The most bytes that StirRandom takes (part 3, 16.2). */
const TPM_MAX_STIR_BYTES = 128;

/** TPM2_Startup(CLEAR): what the firmware sends after a reset, and we do for a TPM that has none. Part 3, 9.3. */
export function startupCommand(): Uint8Array {
  return command(TPM_CC_STARTUP, Uint8Array.of(TPM_SU_CLEAR >> 8, TPM_SU_CLEAR & 0xff));
}

/** TPM2_SelfTest of what was not tested yet. Part 3, 10.2. */
export function selfTestCommand(): Uint8Array {
  return command(TPM_CC_SELF_TEST, Uint8Array.of(0));
}

/** TPM2_GetRandom. Part 3, 16.1. @param length 1 to {@link TPM_MAX_RANDOM_BYTES}. */
export function getRandomCommand(length: number): Uint8Array {
  return command(TPM_CC_GET_RANDOM, Uint8Array.of(length >> 8, length & 0xff));
}

/** TPM2_StirRandom. Part 3, 16.2. @throws TPM_STIR_TOO_LONG */
export function stirRandomCommand(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > TPM_MAX_STIR_BYTES) {
    throw new SymmetraError('TPM_STIR_TOO_LONG', `a TPM takes ${TPM_MAX_STIR_BYTES} bytes, not ${length}`, {
      length,
    });
  }
  const data = new Uint8Array(2 + length);
  data.set([length >> 8, length & 0xff]);
  data.set(bytes, 2);
  return command(TPM_CC_STIR_RANDOM, data);
}

function command(code: number, parameters: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + parameters.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, TPM_ST_NO_SESSIONS);
  view.setUint32(LENGTH_AT, bytes.length);
  view.setUint32(LENGTH_END, code);
  bytes.set(parameters, HEADER_BYTES);
  return bytes;
}

/**
 * How long the response that begins with these bytes is; undefined while they are too few to say.
 * @throws TPM_BAD_RESPONSE when no response has that length, or when there are more bytes than it says.
 */
export function responseLength(start: Uint8Array): number | undefined {
  if (start.length < LENGTH_END) return undefined;
  const length = new DataView(start.buffer, start.byteOffset, start.length).getUint32(LENGTH_AT);
  const isPossible = length >= HEADER_BYTES && length <= TPM_MAX_RESPONSE_BYTES;
  if (!isPossible) throw badResponse('has a length that none has', length);
  if (length < start.length) throw badResponse('is longer than it says', start.length);
  return length;
}

/**
 * The parameters of a whole response, a part of it.
 * @throws TPM_FAILED with the response code, TPM_BAD_RESPONSE
 */
function parametersOf(response: Uint8Array): Uint8Array {
  if (responseLength(response) !== response.length) throw badResponse('is cut short', response.length);
  const view = new DataView(response.buffer, response.byteOffset, response.length);
  const tag = view.getUint16(0);
  if (tag !== TPM_ST_NO_SESSIONS && tag !== TPM_ST_RSP_COMMAND) throw badResponse('has an unknown tag', tag);
  checkResponseCode(view.getUint32(LENGTH_END));
  if (tag !== TPM_ST_NO_SESSIONS) throw badResponse('is that of a TPM 1.2', tag);
  return response.subarray(HEADER_BYTES);
}

/** The response to a command that gives nothing back. @throws TPM_FAILED, TPM_BAD_RESPONSE */
export function decodeEmpty(response: Uint8Array): void {
  const { length } = parametersOf(response);
  if (length !== 0) throw badResponse('holds what was not asked for', length);
}

/**
 * The response to GetRandom, a part of it.
 * @param asked what the command asked for; the TPM may give less, but not nothing.
 * @throws TPM_FAILED, TPM_BAD_RESPONSE
 */
export function decodeRandom(response: Uint8Array, asked: number): Uint8Array {
  const parameters = parametersOf(response);
  const [high = 0, low = 0] = parameters;
  const length = (high << 8) | low;
  if (parameters.length !== 2 + length) throw badResponse('holds more or less than it says', length);
  if (length === 0 || length > asked) throw badResponse('holds what was not asked for', length);
  return parameters.subarray(2);
}

/** What no TPM answers. `fault` completes the sentence. */
export function badResponse(fault: string, number: number): SymmetraError {
  return new SymmetraError('TPM_BAD_RESPONSE', `what the TPM answered ${fault}`, { number });
}
