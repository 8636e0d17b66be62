/*
 * Writes rows one after another and several at a time, and prints the number of each commit once it
 * was acknowledged, until it is killed: store-writer.ts DIR
 */
import { openLmdbStore } from '@symmetra/storage';

const [dir = ''] = process.argv.slice(2);
const store = await openLmdbStore(dir);

async function write(writer: number): Promise<void> {
  for (let i = writer; i < 1_000_000; i += 8) {
    const value = new TextEncoder().encode(`${i}`.padEnd(300, '.'));
    await store.commit([
      { key: `left/${i}`, value },
      { key: `right/${i}`, value },
    ]);
    process.stdout.write(`${i}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
