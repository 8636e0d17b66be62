/*
 * Tries to be the one that makes each of many rows, and prints the numbers of those that it made: store-redis-racer.ts URL PREFIX NAME
 */
import { openRedisStore } from '@symmetra/storage';

const [url = '', prefix = '', name = ''] = process.argv.slice(2);
const store = await openRedisStore({ server: { url }, prefix });
const value = new TextEncoder().encode(name);

// Both begin when both are there.
await store.commit([{ key: `ready/${name}`, value }]);
while ((await store.scan('ready/')).length < 2);
for (let i = 0; i < 200; i++) {
  const made = await store.commit([
    { key: `race/${i}`, value, expect: 0 },
    { key: `by/${name}/${i}`, value },
  ]);
  if (made) process.stdout.write(`${i}\n`);
}
await store.close();
