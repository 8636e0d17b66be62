import { realpath } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import { Cryptoki } from './cryptoki.js';
import { checkResult } from './result.js';

/** A use of a module. */
export interface ModuleUse {
  readonly cryptoki: Cryptoki;
  /** Runs what changes the state of the whole module: not all modules bear two threads that do so. */
  inTurn<Result>(action: () => Promise<Result>): Promise<Result>;
  /** Ends this use; the last one ends the module. To be called once. @throws PKCS11_FAILED */
  release(): Promise<void>;
}

/** A module and its users; they enter and leave one at a time. */
class SharedModule {
  readonly #path: string;
  #cryptoki: Cryptoki | undefined;
  #users = 0;
  /** Whether C_Finalize is ours to call: only when C_Initialize was. */
  #isOurs = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async enter(): Promise<Cryptoki> {
    return this.inTurn(async () => {
      this.#cryptoki ??= await Cryptoki.load(this.#path);
      if (this.#users === 0) this.#isOurs = await this.#cryptoki.start();
      this.#users++;
      return this.#cryptoki;
    });
  }

  async leave(): Promise<void> {
    await this.inTurn(async () => {
      this.#users--;
      if (this.#users > 0 || !this.#isOurs || this.#cryptoki === undefined) return;
      checkResult('C_Finalize', await this.#cryptoki.finalize(null));
    });
  }

  async inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(action);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/*
 * A module has one state in a process, whoever initialises it, and C_Finalize ends it for all its users (PKCS#11
 * v2.40, 5.4). So their number is kept here, once in the process, by the real path of the module.
 */
const modules = new Map<string, SharedModule>();

/**
 * Loads a module by its path and initialises it, unless that was done already.
 * @throws HARDWARE_UNAVAILABLE, PKCS11_NO_MODULE, PKCS11_FAILED
 */
export async function useModule(path: string): Promise<ModuleUse> {
  const real = await realpath(path).catch((error: unknown) => {
    throw new SymmetraError('PKCS11_NO_MODULE', `there is no PKCS#11 module ${path}`, {}, { cause: error });
  });
  const module = modules.get(real) ?? new SharedModule(real);
  modules.set(real, module);
  return {
    cryptoki: await module.enter(),
    inTurn: async (action) => module.inTurn(action),
    release: async () => module.leave(),
  };
}
