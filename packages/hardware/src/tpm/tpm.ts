import { SymmetraError, wipe } from '@symmetra/crypto';
import {
  TPM_MAX_RANDOM_BYTES,
  decodeEmpty,
  decodeRandom,
  getRandomCommand,
  selfTestCommand,
  startupCommand,
  stirRandomCommand,
} from './codec.js';
import { TPM_RC_INITIALIZE, TPM_RC_NEEDS_TEST, baseCode, isRetried } from './response-code.js';
import { openTransport } from './transport.js';
import type { TpmAddress, TpmTransport } from './transport.js';

/** How often a command is sent before its response code is believed. */
const MAX_TRIES = 10;
/** Milliseconds until a command is sent again; doubled each time. */
const FIRST_PAUSE_MS = 5;

/** Waits so many milliseconds. */
type Pause = (ms: number) => Promise<void>;

/** The generator of a TPM 2.0. One call at a time. */
export class Tpm {
  readonly #transport: TpmTransport;
  readonly #pause: Pause;

  private constructor(transport: TpmTransport, pause: Pause) {
    this.#transport = transport;
    this.#pause = pause;
  }

  /** @throws what the system says when there is no such device or nobody listens. */
  static async open(address: TpmAddress, pause: Pause): Promise<Tpm> {
    return new Tpm(await openTransport(address), pause);
  }

  /**
   * Random bytes of the TPM, by TPM2_GetRandom.
   * @param length at least 1.
   * @returns at least one byte and at most `length` or {@link TPM_MAX_RANDOM_BYTES}.
   * @throws TPM_FAILED with the response code, TPM_BAD_RESPONSE, TPM_GONE
   */
  async random(length: number): Promise<Uint8Array> {
    const asked = Math.min(length, TPM_MAX_RANDOM_BYTES);
    return this.#send(getRandomCommand(asked), (response) => {
      const random = decodeRandom(response, asked).slice();
      wipe(response);
      return random;
    });
  }

  /**
   * Mixes bytes into the generator's state, by TPM2_StirRandom.
   * @param bytes at most 128; lent, so the caller wipes them.
   * @throws TPM_STIR_TOO_LONG, TPM_FAILED, TPM_BAD_RESPONSE, TPM_GONE
   */
  async stir(bytes: Uint8Array): Promise<void> {
    const command = stirRandomCommand(bytes);
    try {
      await this.#send(command, decodeEmpty);
    } finally {
      wipe(command);
    }
  }

  /** Never rejected; may be called twice. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** Sends a command until the TPM is ready for it, and readies it where that is in our hands. */
  async #send<Result>(command: Uint8Array, decode: (response: Uint8Array) => Result): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return decode(await this.#transport.transact(command));
      } catch (error) {
        if (!(error instanceof SymmetraError && error.code === 'TPM_FAILED')) throw error;
        if (tries === MAX_TRIES) throw error;
        await this.#makeReady(error, FIRST_PAUSE_MS * 2 ** (tries - 1));
      }
    }
  }

  /** @throws the refusal, when the TPM will refuse again. */
  async #makeReady(refusal: SymmetraError, pauseMs: number): Promise<void> {
    const rc = Number(refusal.details['rc']);
    const command = PREPARATIONS.get(baseCode(rc));
    if (command !== undefined) decodeEmpty(await this.#transport.transact(command()));
    else if (isRetried(rc)) await this.#pause(pauseMs);
    else throw refusal;
  }
}

/** What a TPM asks for before it takes commands. */
const PREPARATIONS: ReadonlyMap<number, () => Uint8Array> = new Map([
  [TPM_RC_INITIALIZE, startupCommand],
  [TPM_RC_NEEDS_TEST, selfTestCommand],
]);
