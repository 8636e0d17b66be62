import { readFile } from 'node:fs/promises';
import { SymmetraError, wipe } from '@symmetra/crypto';
import { memory } from './cryptoki.js';
import type { Cryptoki } from './cryptoki.js';
import { useModule } from './module.js';
import type { ModuleUse } from './module.js';
import { CKR_OK, CKR_USER_ALREADY_LOGGED_IN, checkResult } from './result.js';
import { TOKEN_INFO_BYTES, decodeTokenInfo } from './token-info.js';
import type { TokenInfo } from './token-info.js';

/** The most bytes of one call of C_GenerateRandom. */
export const TOKEN_MAX_BYTES = 65_536;
/** A module with tokens in more slots answers CKR_BUFFER_TOO_SMALL. */
const MAX_SLOTS = 4096;
const WORD = 8;

const CKF_SERIAL_SESSION = 0x04n;
const CKU_USER = 1n;
const TOKEN_PRESENT = 1;

/** Which token of which module. */
export interface TokenOptions {
  /** The path of the module, a shared library. */
  readonly module: string;
  /** The label of the token. */
  readonly label: string;
  /** A file with the user's PIN, one line, for tokens that give random numbers only after a login. */
  readonly pinFile?: string;
}

/** A session with a token. One call at a time. */
export class Token {
  readonly info: TokenInfo;
  readonly #use: ModuleUse;
  readonly #session: bigint;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(use: ModuleUse, info: TokenInfo, session: bigint) {
    this.#use = use;
    this.info = info;
    this.#session = session;
  }

  /**
   * @throws HARDWARE_UNAVAILABLE, PKCS11_NO_MODULE, PKCS11_NO_TOKEN when no token has the label, PKCS11_NO_RNG when
   *   that token has no generator, PKCS11_FAILED with the CKR number; what reading the file of the PIN throws.
   */
  static async open(options: TokenOptions): Promise<Token> {
    const use = await useModule(options.module);
    try {
      return await use.inTurn(async () => {
        const { slot, info } = await findToken(use.cryptoki, options.label);
        if (!info.hasRng) throw new SymmetraError('PKCS11_NO_RNG', 'the token gives no random numbers');
        const session = await openSession(use.cryptoki, slot);
        if (options.pinFile !== undefined) await login(use.cryptoki, session, options.pinFile);
        return new Token(use, info, session);
      });
    } catch (error) {
      await use.release().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Random bytes of the token, by C_GenerateRandom.
   * @param length 1 to {@link TOKEN_MAX_BYTES}.
   * @throws PKCS11_FAILED
   */
  async random(length: number): Promise<Uint8Array> {
    const bytes = memory(length);
    const call = this.#use.cryptoki.generateRandom(this.#session, bytes, BigInt(length));
    this.#last = call.catch(() => undefined);
    checkResult('C_GenerateRandom', await call);
    return bytes;
  }

  /** Ends the session once the call under way is over. Never rejected; may be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#last;
    await this.#use.cryptoki.closeSession(this.#session).catch(() => undefined);
    await this.#use.release().catch(() => undefined);
  }
}

async function findToken(cryptoki: Cryptoki, label: string): Promise<{ slot: bigint; info: TokenInfo }> {
  // Asked without a list, the module looks which tokens are there by now (PKCS#11 v2.40, 5.5).
  const count = new BigUint64Array(memory(WORD).buffer);
  checkResult('C_GetSlotList', await cryptoki.getSlotList(TOKEN_PRESENT, null, count));
  count[0] = BigInt(MAX_SLOTS);
  const slots = new BigUint64Array(memory(MAX_SLOTS * WORD).buffer);
  checkResult('C_GetSlotList', await cryptoki.getSlotList(TOKEN_PRESENT, slots, count));
  for (const slot of slots.subarray(0, Number(count[0]))) {
    const bytes = memory(TOKEN_INFO_BYTES);
    if ((await cryptoki.getTokenInfo(slot, bytes)) !== CKR_OK) continue;
    const info = decodeTokenInfo(bytes);
    if (info.label === label) return { slot, info };
  }
  throw new SymmetraError('PKCS11_NO_TOKEN', `no token of the PKCS#11 module has the label ${label}`);
}

async function openSession(cryptoki: Cryptoki, slot: bigint): Promise<bigint> {
  const session = new BigUint64Array(memory(WORD).buffer);
  checkResult('C_OpenSession', await cryptoki.openSession(slot, CKF_SERIAL_SESSION, null, null, session));
  return session[0] ?? 0n;
}

async function login(cryptoki: Cryptoki, session: bigint, pinFile: string): Promise<void> {
  try {
    const pin = await readPin(pinFile);
    const call = cryptoki.login(session, CKU_USER, pin, BigInt(pin.length));
    const result = await call.finally(() => wipe(pin));
    checkResult('C_Login', result, [CKR_OK, CKR_USER_ALREADY_LOGGED_IN]);
  } catch (error) {
    await cryptoki.closeSession(session);
    throw error;
  }
}

/** The first line of the file. */
async function readPin(pinFile: string): Promise<Uint8Array> {
  const file = await readFile(pinFile);
  const end = file.indexOf('\n');
  const pin = memory(end === -1 ? file.length : end);
  pin.set(file.subarray(0, pin.length));
  wipe(file);
  return pin;
}
