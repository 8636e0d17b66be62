import { openRedisStore } from '@symmetra/storage';
import type { RedisStore, RedisStoreOptions } from '@symmetra/storage';
import { RedisServer } from '@symmetra/testing';
import type { RedisSettings } from '@symmetra/testing';
import { onTestFinished } from 'vitest';

export const PREFIX = 'symmetra:node-1:0123456789abcdef';

/** A server that ends with the test. */
export async function startServer(settings?: RedisSettings): Promise<RedisServer> {
  const server = await RedisServer.start(settings);
  onTestFinished(() => server.end());
  return server;
}

/** A store on that server, closed after the test. */
export async function openOn(
  server: RedisServer,
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisStore> {
  const store = await openRedisStore({ server: { url: server.url }, prefix: PREFIX, ...options });
  onTestFinished(() => store.close());
  return store;
}
