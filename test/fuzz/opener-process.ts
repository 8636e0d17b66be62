import { SymmetraError } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy';
import { startNetwork } from '@symmetra/node';
import { createLogger, systemClock } from '@symmetra/runtime';
import { openDevice } from '@symmetra/sdk';
import type { OpenOrder } from './opener.js';

// Opens the directories that its parent names, one after the other: what breaks underneath breaks this process alone.

async function carryOut({ kind, path, passphrase }: OpenOrder): Promise<void> {
  if (kind === 'device') {
    const device = await openDevice({ state: path, ...(passphrase !== undefined && { passphrase }) });
    await device.close();
    return;
  }
  const network = await startNetwork({
    dataDir: path,
    nodes: 2,
    threshold: 2,
    port: 0,
    randomness: osRandomness,
    logger: createLogger({ level: 'silent', clock: systemClock }),
    clock: systemClock,
  });
  await network.stop();
}

/** `opened`, the code of a named error, or what was thrown in its place. */
async function outcome(order: OpenOrder): Promise<string> {
  try {
    await carryOut(order);
    return 'opened';
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    return `not named: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

process.on('message', (order: OpenOrder) => {
  void outcome(order).then((told) => process.send?.(told));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
