/*
 * Enrols a device on a full file system, makes room, and does it again. Prints what it saw as JSON:
 * sdk-full-disk.ts MOUNT TOKEN PEER
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { enrol } from '@symmetra/sdk';

const [mount = '', token = '', peer = ''] = process.argv.slice(2);
const state = join(mount, 'state');
const ballast = join(mount, 'ballast');

async function outcomeOf(task: () => Promise<unknown>): Promise<string> {
  try {
    await task();
    return 'ok';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : String(error);
  }
}

/** Takes all room that is left. */
async function fill(): Promise<void> {
  for (let size = 2 ** 20; size >= 2 ** 12; size /= 2) {
    await writeFile(ballast, new Uint8Array(size), { flag: 'a' }).catch(() => undefined);
  }
}

await fill();
const full = await outcomeOf(async () => enrol({ token, state }));
await rm(ballast);
const device = await enrol({ token, state });
await device.connect();
const withRoom = await outcomeOf(async () => device.negotiate(peer));
await device.close();
process.stdout.write(JSON.stringify({ full, withRoom }));
