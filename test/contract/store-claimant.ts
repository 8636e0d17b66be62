/*
 * Tries to own a directory, prints the outcome, and then holds what it got until it is killed:
 * store-claimant.ts DIR
 */
import { acquire } from '@symmetra/storage';

const [dir = ''] = process.argv.slice(2);
const outcome = await acquire(dir);
process.stdout.write('ownedBy' in outcome ? `owned ${outcome.ownedBy}\n` : `mine ${process.pid}\n`);
setInterval(() => undefined, 60_000);
