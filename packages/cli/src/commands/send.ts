import { stat } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { ask, stateOptions } from '../device/state.js';
import type { StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { grouped } from '../output.js';
import { deviceId, durationOrZero, path } from '../values.js';

interface SendOptions extends StateOptions {
  readonly peer: string;
  readonly wait?: number;
}

/** What the owner answers when a file has arrived. */
interface Sent {
  readonly keyId: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export function addSendCommand(program: Command, invocation: Invocation): void {
  addCommand<SendOptions>(program, invocation, {
    name: 'send',
    args: '<file>',
    summary: 'send a file to another device over a secure channel',
    details:
      'Uses the key that the two devices hold, or agrees on one. Done when the peer (`symmetra device listen ' +
      '--out DIR`) has stored the file and both have compared its SHA-256.',
    options: [
      ...stateOptions(),
      required(option('--peer <id>', 'the device id of the peer', deviceId)),
      option('--wait <duration>', 'how long to wait for the peer (default: 30s)', durationOrZero),
    ],
    examples: ['symmetra send --state alice --peer ID-OF-BOB report.pdf'],
    run: async (run, options, [file = '']) => send(run, options, path(file)),
  });
}

async function send(invocation: Invocation, options: SendOptions, file: string): Promise<void> {
  if (!(await stat(file)).isFile()) throw new SymmetraError('NOT_A_FILE', `this is not a file: ${file}`);
  const params = { peer: options.peer, file, wait: options.wait };
  const { reply, ms } = await ask<Sent>(invocation, options, 'send', params, 'connected').catch(explain);
  invocation.output.result({ ...reply, peer: options.peer, ms }, [
    `sent ${reply.name}: ${reply.size} bytes in ${ms} ms`,
    `  sha256       ${reply.sha256}`,
    `  key          ${reply.keyId}`,
    `  fingerprint  ${grouped(reply.fingerprint)}`,
  ]);
}

/** Says why the peer did not take the file. */
function explain(error: unknown): never {
  if (error instanceof SymmetraError && error.code === 'FILE_REFUSED') {
    throw new SymmetraError(
      error.code,
      `${error.message}: ${error.details['reason'] ?? 'unknown'}`,
      error.details,
    );
  }
  throw error;
}
