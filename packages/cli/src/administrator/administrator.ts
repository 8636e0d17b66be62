import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import type { Descriptor } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import { acquire } from '@symmetra/storage';
import type { Ownership } from '@symmetra/storage';
import type { Invocation } from '../invocation.js';
import { readAdministratorKey } from './administrator-key.js';
import { ControlLog } from './control-log.js';
import { NodeCalls } from './node-calls.js';

const LOCK_NAME = 'admin.lock';
const LOCK_ATTEMPTS = 60;
const LOCK_PAUSE_MS = 250;

/** What an administrative command works with. */
export interface Administrator {
  readonly descriptor: Descriptor;
  readonly rootPublicKey: Uint8Array;
  readonly calls: NodeCalls;
  readonly log: ControlLog;
}

/**
 * Takes up the administrator's key and the descriptor of a network from its directory. Until the command ends,
 * no other command of this machine signs with that key: two events of one number would halt the network.
 * @param reads true for commands that append nothing and need no lock.
 * @throws NO_NETWORK, KEY_FILE_MISSING, ADMIN_KEY_BUSY, and what reading the two files throws
 */
export async function openAdministrator(
  invocation: Invocation,
  dataDir: string,
  reads = false,
): Promise<Administrator> {
  const { clock } = invocation;
  const { readNetworkFile } = await import('@symmetra/node');
  const network = await readNetworkFile(join(dataDir, 'network.json'));
  const key = await readAdministratorKey(join(dataDir, 'admin.key'));
  invocation.onEnd('administrator key', () => key.wipe());
  if (!reads) {
    const lock = await lockKey(dataDir, clock);
    invocation.onEnd('lock', async () => lock.release());
  }
  const calls = new NodeCalls(network.parsed, key, clock);
  invocation.onEnd('connections', () => calls.close());
  return {
    descriptor: network.parsed,
    rootPublicKey: network.rootPublicKey,
    calls,
    log: new ControlLog(calls, key, clock),
  };
}

async function lockKey(dataDir: string, clock: Clock): Promise<Ownership> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    const lock = await acquire(dataDir, LOCK_NAME);
    if ('release' in lock) return lock;
    await new Promise<void>((resolve) => {
      clock.setTimer(LOCK_PAUSE_MS, resolve);
    });
  }
  throw new SymmetraError('ADMIN_KEY_BUSY', 'another command is using the administrator key; try again');
}
