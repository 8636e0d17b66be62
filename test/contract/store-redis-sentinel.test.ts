import { setTimeout as pause } from 'node:timers/promises';
import { openRedisStore } from '@symmetra/storage';
import type { RedisStore, RedisStoreOptions } from '@symmetra/storage';
import { RedisTrio, redisServerMissing } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fromText, refusal, text } from './store-fixtures.js';
import { PREFIX } from './store-redis-fixtures.js';

const missing = redisServerMissing();

describe.skipIf(missing !== undefined)(
  `a store behind Sentinels${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let trio: RedisTrio;
    beforeAll(async () => {
      trio = await RedisTrio.start();
    });
    afterAll(() => trio.end());

    async function openBehind(options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
      const server = { sentinels: ['127.0.0.1:1', ...trio.sentinels], master: trio.name };
      const store = await openRedisStore({ server, prefix: PREFIX, ...options });
      onTestFinished(() => store.close());
      return store;
    }

    const configureAll = async (name: string, value: string) =>
      Promise.all(trio.servers.map(async (server) => server.command('CONFIG', 'SET', name, value)));

    it('says when they know no such master', async () => {
      const server = { sentinels: trio.sentinels, master: 'another' };
      expect(await refusal(openBehind({ server, timeoutMs: 1000 }))).toBe('STORE_UNAVAILABLE');
    });

    it('warns when a master without replicas would go on', async () => {
      expect((await openBehind()).warnings).toEqual([]);
      await configureAll('min-replicas-to-write', '0');
      expect((await openBehind()).warnings.map(({ code }) => code)).toEqual(['REDIS_MIN_REPLICAS']);
      await configureAll('min-replicas-to-write', '1');
    });

    it('does not acknowledge what no replica has', async () => {
      await configureAll('min-replicas-to-write', '0');
      const store = await openBehind();
      for (const replica of trio.servers.slice(1)) replica.suspend();
      expect(await refusal(store.commit([{ key: 'alone', value: text('x') }]))).toBe('STORE_FAILED');
      for (const replica of trio.servers.slice(1)) replica.resume();
      expect(await store.commit([{ key: 'alone', value: text('y') }])).toBe(true);
      await configureAll('min-replicas-to-write', '1');
    });

    it('has every acknowledged change when the master is gone, and goes on with another one', async () => {
      const store = await openBehind({ timeoutMs: 10_000 });
      const codes: string[] = [];
      for (let i = 1; i <= 100; i++) {
        codes.push(await refusal(store.commit([{ key: 'count', value: text(`${i}`) }])));
        if (i === 50) await trio.servers[0]?.kill();
        await pause(1);
      }
      const bad = codes.filter((code) => !['none', 'STORE_FAILED', 'STORE_UNAVAILABLE'].includes(code));
      expect([codes[49], codes.at(-1), bad]).toEqual(['none', 'none', []]);
      expect(fromText((await store.get('count'))?.value)).toBe('100');
      expect((await store.scan('')).map(({ key }) => key)).toEqual(['alone', 'count']);
    });
  },
);
