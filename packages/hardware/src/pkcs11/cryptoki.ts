import { promisify } from 'node:util';
import { SymmetraError } from '@symmetra/crypto';
import type { LibraryHandle } from 'koffi';
import { loadKoffi, unavailable } from '../native.js';
import type { Koffi } from '../native.js';
import { CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_OK, checkResult } from './result.js';

/*
 * The C of a PKCS#11 module (PKCS#11 v2.40; <pkcs11t.h>, <pkcs11f.h>) where CK_ULONG, an unsigned long, and pointers
 * have 8 bytes and structures their natural alignment: every 64-bit Linux and macOS.
 */

const PLATFORMS = new Set(['linux', 'darwin']);
const WORD = 8;

/** Positions in CK_FUNCTION_LIST: a CK_VERSION, padded to a word, then the functions in the order of <pkcs11f.h>. */
const INDEX = {
  C_Initialize: 0,
  C_Finalize: 1,
  C_GetSlotList: 4,
  C_GetTokenInfo: 6,
  C_OpenSession: 12,
  C_CloseSession: 13,
  C_Login: 18,
  C_GenerateRandom: 64,
} as const;

const CKF_OS_LOCKING_OK = 0x02n;

type Argument = ArrayBufferView | bigint | number | null;
type Call = (...args: Argument[]) => Promise<number>;

/** Fixed memory that C may write to from another thread: never a small array, which V8 keeps inside its heap. */
export function memory(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** A module that is loaded. Its functions run on other threads; each resolves to a CKR number. */
export class Cryptoki {
  /** Keeps the library in memory: koffi unloads one that nothing refers to, and does not see pointers into it. */
  readonly library: LibraryHandle;
  readonly initialize: Call;
  readonly finalize: Call;
  readonly getSlotList: Call;
  readonly getTokenInfo: Call;
  readonly openSession: Call;
  readonly closeSession: Call;
  readonly login: Call;
  readonly generateRandom: Call;

  private constructor(koffi: Koffi, library: LibraryHandle, list: bigint) {
    this.library = library;
    const bind = (name: keyof typeof INDEX, args: string[]): Call => {
      const at: unknown = koffi.decode(list, WORD + WORD * INDEX[name], 'void *');
      if (at === null) throw notAModule(`it has no ${name}`);
      const { async: start } = koffi.decode(at, koffi.proto('unsigned long', args)) as {
        readonly async: never;
      };
      const call = promisify(start) as unknown as (...values: Argument[]) => Promise<number | bigint>;
      return async (...values) => Number(await call(...values));
    };
    // CK_RV C_Initialize(CK_VOID_PTR pInitArgs);
    this.initialize = bind('C_Initialize', ['void *']);
    // CK_RV C_Finalize(CK_VOID_PTR pReserved);
    this.finalize = bind('C_Finalize', ['void *']);
    // CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount);
    this.getSlotList = bind('C_GetSlotList', ['uint8_t', 'void *', 'void *']);
    // CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo);
    this.getTokenInfo = bind('C_GetTokenInfo', ['unsigned long', 'void *']);
    // CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY Notify,
    //   CK_SESSION_HANDLE_PTR phSession);
    this.openSession = bind('C_OpenSession', [
      'unsigned long',
      'unsigned long',
      'void *',
      'void *',
      'void *',
    ]);
    // CK_RV C_CloseSession(CK_SESSION_HANDLE hSession);
    this.closeSession = bind('C_CloseSession', ['unsigned long']);
    // CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen);
    this.login = bind('C_Login', ['unsigned long', 'unsigned long', 'void *', 'unsigned long']);
    // CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR RandomData, CK_ULONG ulRandomLen);
    this.generateRandom = bind('C_GenerateRandom', ['unsigned long', 'void *', 'unsigned long']);
  }

  /** @throws HARDWARE_UNAVAILABLE, PKCS11_NO_MODULE, PKCS11_FAILED */
  static async load(path: string): Promise<Cryptoki> {
    if (!PLATFORMS.has(process.platform)) throw unavailable('PKCS#11 modules');
    const koffi = await loadKoffi();
    if (koffi.sizeof('unsigned long') !== WORD) throw unavailable('PKCS#11 modules');
    const library = loadLibrary(koffi, path);
    const getFunctionList = entryOf(library);
    const list = new BigUint64Array(1);
    checkResult('C_GetFunctionList', Number(getFunctionList(list)));
    const [address = 0n] = list;
    if (address === 0n) throw notAModule('its function list is empty');
    return new Cryptoki(koffi, library, address);
  }

  /**
   * Initialises the module for calls from several threads.
   * @returns false when another part of this process had done so already.
   */
  async start(): Promise<boolean> {
    // typedef struct CK_C_INITIALIZE_ARGS { CK_CREATEMUTEX CreateMutex; CK_DESTROYMUTEX DestroyMutex;
    //   CK_LOCKMUTEX LockMutex; CK_UNLOCKMUTEX UnlockMutex; CK_FLAGS flags; CK_VOID_PTR pReserved; }
    const args = new BigUint64Array(memory(6 * WORD).buffer);
    args[4] = CKF_OS_LOCKING_OK;
    const result = await this.initialize(args);
    checkResult('C_Initialize', result, [CKR_OK, CKR_CRYPTOKI_ALREADY_INITIALIZED]);
    return result === CKR_OK;
  }
}

function loadLibrary(koffi: Koffi, path: string): LibraryHandle {
  try {
    return koffi.load(path);
  } catch (error) {
    throw notAModule('it can not be loaded', error);
  }
}

function entryOf(library: LibraryHandle): (list: BigUint64Array) => number | bigint {
  try {
    // CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList);
    return library.func('C_GetFunctionList', 'unsigned long', ['void *']);
  } catch (error) {
    throw notAModule('it has no C_GetFunctionList', error);
  }
}

function notAModule(reason: string, cause?: unknown): SymmetraError {
  return new SymmetraError('PKCS11_NO_MODULE', `this is no PKCS#11 module: ${reason}`, {}, { cause });
}
