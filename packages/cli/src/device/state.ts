import { SymmetraError } from '@symmetra/crypto';
import { createLogger } from '@symmetra/runtime';
import type { LogLevel, Logger } from '@symmetra/runtime';
import type { Device } from '@symmetra/sdk';
import { option, required } from '../command.js';
import type { Invocation } from '../invocation.js';
import { readPassphrase } from '../secret-input.js';
import { logLevel, path, suite } from '../values.js';

/** The options of every command that works with the state of a device. */
export interface StateOptions {
  readonly state: string;
  readonly passphraseFile?: string;
  readonly suite?: 1 | 2 | 3;
  readonly logLevel?: LogLevel;
}

/** What {@link StateOptions} are called on the command line. */
export const stateOptions = () => [
  required(option('--state <dir>', 'the state directory of the device', path)),
  option('--passphrase-file <file>', 'a file whose first line is the passphrase that seals the state', path),
  option(
    '--log-level <level>',
    'log to standard error: debug, info, warn, error or silent (default: silent)',
    logLevel,
  ),
];

/** For commands that choose a suite. */
export const suiteOption = () => option('--suite <id>', 'the suite: 1, 2 or 3 (default: 1)', suite);

/** What opening a state takes, besides its directory. */
export async function openOptions(
  invocation: Invocation,
  options: StateOptions,
  defaultLevel: LogLevel = 'silent',
): Promise<{ state: string; passphrase?: string; suite?: 1 | 2 | 3; logger: Logger }> {
  const level = options.logLevel ?? defaultLevel;
  return {
    state: options.state,
    ...(options.passphraseFile !== undefined && { passphrase: await readPassphrase(options.passphraseFile) }),
    ...(options.suite !== undefined && { suite: options.suite }),
    logger: createLogger({ level, clock: invocation.clock }),
  };
}

/** Opens the state as its owner until the command ends. @throws STATE_IN_USE, and what the SDK throws */
export async function ownState(
  invocation: Invocation,
  options: StateOptions,
  defaultLevel?: LogLevel,
): Promise<Device> {
  const { openDevice } = await import('@symmetra/sdk');
  const device = await openDevice(await openOptions(invocation, options, defaultLevel));
  invocation.onEnd('device', async () => device.close());
  return device;
}

const ATTEMPTS = 3;

/** What the owner of a state answered. */
export interface Answer<Reply> {
  readonly reply: Reply;
  /** Whether this process became the owner for it. */
  readonly owned: boolean;
  /** Milliseconds that the method took. */
  readonly ms: number;
}

/**
 * Has the owner of the state carry out a method: the process that holds it, if one does, else this one.
 * @param needs `connected` when the method needs the device to be connected, as that of a listening process is.
 * @throws what the owner answered
 */
export async function ask<Reply>(
  invocation: Invocation,
  options: StateOptions,
  method: string,
  params: Readonly<Record<string, unknown>>,
  needs: 'connected' | 'nothing' = 'nothing',
): Promise<Answer<Reply>> {
  const { callOwner } = await import('@symmetra/sdk');
  const call = async (owned: boolean): Promise<Answer<Reply>> => {
    const began = invocation.clock.monotonic();
    const reply = (await callOwner(options.state, method, params)) as Reply;
    return { reply, owned, ms: Math.round(invocation.clock.monotonic() - began) };
  };
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await call(false);
    } catch (error) {
      if (!hasCode(error, 'NO_OWNER')) throw error;
    }
    try {
      const device = await ownState(invocation, options);
      if (needs === 'connected') await device.connect();
      return await call(true);
    } catch (error) {
      if (!hasCode(error, 'STATE_IN_USE')) throw error;
      failure = error;
    }
  }
  throw failure;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof SymmetraError && error.code === code;
}
