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

/** Failures that say: whom we took for the owner is not, or is no longer. */
const OWNER_CHANGED = new Set(['STATE_IN_USE', 'OWNER_GONE']);

/**
 * Has the owner of the state carry out a method: the process that holds it, if one does, else this one.
 * @throws what the owner answered
 */
export async function ask<Reply>(
  invocation: Invocation,
  options: StateOptions,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<{ readonly reply: Reply; readonly owned: boolean }> {
  const { callOwner } = await import('@symmetra/sdk');
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return { reply: (await callOwner(options.state, method, params)) as Reply, owned: false };
    } catch (error) {
      if (!hasCode(error, 'NO_OWNER')) throw error;
    }
    try {
      await ownState(invocation, options);
      return { reply: (await callOwner(options.state, method, params)) as Reply, owned: true };
    } catch (error) {
      if (!(error instanceof SymmetraError && OWNER_CHANGED.has(error.code))) throw error;
      failure = error;
    }
  }
  throw failure;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof SymmetraError && error.code === code;
}
