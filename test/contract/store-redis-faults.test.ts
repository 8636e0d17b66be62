import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { osRandom } from '@symmetra/entropy';
import { sealStore } from '@symmetra/storage';
import type { RedisStore, Store } from '@symmetra/storage';
import { redisServerMissing } from '@symmetra/testing';
import type { RedisServer } from '@symmetra/testing';
import { describe, expect, it } from 'vitest';
import { fromText, masterKey, refusal, startProgram, text } from './store-fixtures.js';
import { PREFIX, openOn, startServer } from './store-redis-fixtures.js';

const missing = redisServerMissing();
const random = osRandom().bytes;

/** What writers did: each counts its own row up, and no other one. */
interface History {
  acknowledged: number;
  unknown: number;
  readonly codes: Set<string>;
}

/** Counts a row up by compare-and-set until `stop` says so, and writes a second row in the same commit. */
async function countUp(store: Store, writer: number, history: History, stop: () => boolean): Promise<void> {
  const step = async (): Promise<void> => {
    const row = await store.get(`count/${writer}`);
    const next = Number(fromText(row?.value) || '0') + 1;
    const made = await store.commit([
      { key: `count/${writer}`, value: text(`${next}`), expect: row?.version ?? 0 },
      { key: `twin/${writer}`, value: text(`${next}`) },
    ]);
    if (made) history.acknowledged = next;
  };
  while (!stop()) {
    const code = await refusal(step());
    if (code === 'STORE_FAILED') history.unknown += 1;
    if (code !== 'none') history.codes.add(code);
  }
}

/** Every file that the server wrote. */
async function bytesOnDisk(server: RedisServer): Promise<string> {
  const entries = await readdir(server.dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = files.map((file) => readFile(join(file.parentPath, file.name), 'latin1'));
  return (await Promise.all(contents)).join('');
}

describe.skipIf(missing !== undefined)(
  `a store in Redis${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    it('loses nothing that was acknowledged, and makes nothing twice, when the server is killed', async () => {
      const server = await startServer();
      const store = await openOn(server);
      const histories = Array.from({ length: 8 }, (): History => ({
        acknowledged: 0,
        unknown: 0,
        codes: new Set(),
      }));
      let stopped = false;
      const writing = histories.map((history, i) => countUp(store, i, history, () => stopped));
      const total = () => histories.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
      for (let life = 1; life <= 3; life++) {
        const goal = total() + 200;
        while (total() < goal) await pause(1);
        await server.kill();
        await server.restart();
      }
      stopped = true;
      await Promise.all(writing);
      for (const [i, { acknowledged, unknown, codes }] of histories.entries()) {
        const count = Number(fromText((await store.get(`count/${i}`))?.value));
        expect(count).toBeGreaterThanOrEqual(acknowledged);
        expect(count).toBeLessThanOrEqual(acknowledged + unknown);
        expect(fromText((await store.get(`twin/${i}`))?.value)).toBe(`${count}`);
        expect([...codes].filter((code) => code !== 'STORE_FAILED')).toEqual([]);
      }
    });

    it('fails in time while the server hangs, comes back by itself, and does nothing too late', async () => {
      const server = await startServer();
      const store = await openOn(server, { timeoutMs: 800 });
      await store.commit([{ key: 'a', value: text('before') }]);
      server.suspend();
      const calls = await Promise.all([
        refusal(store.get('a')),
        refusal(store.scan('')),
        refusal(store.commit([{ key: 'a', value: text('late') }])),
      ]);
      expect(calls).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'STORE_FAILED']);
      expect(await refusal(store.commit([{ key: 'a', value: text('later') }]))).toBe('STORE_UNAVAILABLE');
      server.resume();
      const patient = await openOn(server);
      // The server has read by now what was sent to it while it hung.
      expect(fromText((await patient.get('a'))?.value)).toBe('before');
      await pause(50);
      expect(fromText((await patient.get('a'))?.value)).toBe('before');
      expect(await store.commit([{ key: 'a', value: text('after') }])).toBe(true);
    });

    it('is full when the server is, changes nothing then, and reads on', async () => {
      const server = await startServer();
      const store = await openOn(server);
      await store.commit([{ key: 'a', value: text('before') }]);
      await server.command('CONFIG', 'SET', 'maxmemory', '1');
      const changes = ['a', 'b'].map((key) => ({ key, value: text('after') }));
      expect(await refusal(store.commit(changes))).toBe('STORE_FULL');
      expect((await store.scan('')).map(({ key, row }) => `${key} ${fromText(row.value)}`)).toEqual([
        'a before',
      ]);
      await server.command('CONFIG', 'SET', 'maxmemory', '0');
      expect(await store.commit(changes)).toBe(true);
    });

    it('waits while the server takes no changes: too few replicas, or it became one itself', async () => {
      const server = await startServer();
      const [store, hasty] = [await openOn(server), await openOn(server, { timeoutMs: 1000 })];
      const change = [{ key: 'a', value: text('a') }];
      for (const [word, before, after] of [
        [
          'NOREPLICAS',
          ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
          ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
        ],
        ['READONLY', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
      ] as const) {
        await server.command(...before);
        await expect(hasty.commit(change)).rejects.toMatchObject({
          code: 'STORE_UNAVAILABLE',
          details: { cause: word },
        });
        const waiting = store.commit(change);
        await server.command(...after);
        expect(await waiting).toBe(true);
      }
    });

    it('goes on when connections are cut and scripts are forgotten', async () => {
      const server = await startServer();
      const store = await openOn(server);
      for (const command of [
        ['SCRIPT', 'FLUSH'],
        ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ]) {
        await server.command(...command);
        expect(await store.commit([{ key: 'a', value: text('a') }])).toBe(true);
        expect(await store.scan('')).toHaveLength(1);
      }
      await server.command('SCRIPT', 'FLUSH');
      expect(await store.scan('')).toHaveLength(1);
    });

    it('is not used any more when the server lost what it acknowledged', async () => {
      const server = await startServer();
      const [reader, writer, scanner, patient] = [
        await openOn(server),
        await openOn(server),
        await openOn(server),
        await openOn(server),
      ] as const;
      for (const store of [reader, writer, scanner]) await store.commit([{ key: 'a', value: text('a') }]);
      await server.command('FLUSHALL');
      expect(await refusal(reader.get('a'))).toBe('STORE_SET_BACK');
      expect(await refusal(scanner.scan(''))).toBe('STORE_SET_BACK');
      expect(await refusal(writer.commit([{ key: 'a', value: text('a') }]))).toBe('STORE_SET_BACK');
      expect(await server.command('EXISTS', `{${PREFIX}}:rows`)).toBe(':0');
      for (const store of [reader, writer, scanner]) {
        expect(await refusal(store.get('a'))).toBe('STORE_SET_BACK');
        expect(await refusal(store.commit([]))).toBe('STORE_SET_BACK');
      }
      // One that was told nothing has lost nothing.
      expect(await patient.get('a')).toBeUndefined();
    });

    it('lets exactly one of two processes win each race', async () => {
      const server = await startServer();
      const program = new URL('store-redis-racer.ts', import.meta.url);
      const winners = await Promise.all(
        ['alice', 'bob'].map(async (name) => {
          const child = startProgram(program, [server.url, PREFIX, name]);
          let output = '';
          child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
          const [code] = (await once(child, 'close')) as [number | null];
          expect(code).toBe(0);
          return output.trim().split('\n').filter(Boolean).map(Number);
        }),
      );
      const all = Array.from({ length: 200 }, (_, i) => i);
      expect(winners.flat().toSorted((a, b) => a - b)).toEqual(all);
      const store = await openOn(server);
      for (const [i, name] of ['alice', 'bob'].entries()) {
        expect(await store.scan(`by/${name}/`)).toHaveLength(winners[i]?.length ?? -1);
      }
    });

    it('holds nothing that was sealed in a readable form: not in keys, not on its disk, not in its log of commands', async () => {
      const server = await startServer({
        rdbcompression: 'no',
        'slowlog-log-slower-than': '0',
        'slowlog-max-len': '10000',
      });
      const plain: RedisStore = await openOn(server, { prefix: 'plain' });
      const store = sealStore(await openOn(server), masterKey(), random);
      const [secret, open] = ['a planted secret of a device', 'a planted text in the open'];
      for (let i = 0; i < 20; i++) {
        await store.commit([{ key: `device/${i}`, value: text(`${secret} ${i}`) }]);
        await plain.commit([{ key: `device/${i}`, value: text(`${open} ${i}`) }]);
        await store.get(`device/${i}`);
      }
      expect(await server.command('SAVE')).toBe('+OK');
      const keys = [PREFIX, 'plain'].flatMap((prefix) =>
        ['rows', 'index', 'format'].map((part) => `{${prefix}}:${part}`),
      );
      const seen = [
        await bytesOnDisk(server),
        await server.commands(keys.map((key) => ['DUMP', key])),
        await server.command('SLOWLOG', 'GET', '10000'),
      ];
      // The search sees what is not sealed in each of them, and the keys of rows, which are no secret.
      const marker = Buffer.from('planted secret');
      for (const bytes of seen) {
        expect([bytes.includes(open), bytes.includes('device/7')]).toEqual([true, true]);
        const forms = (['latin1', 'hex', 'base64'] as const).map((form) => marker.toString(form));
        const key = Buffer.from(masterKey().bytes).toString('latin1');
        expect([...forms, key].filter((form) => bytes.includes(form))).toEqual([]);
      }
      expect(fromText((await store.get('device/7'))?.value)).toBe(`${secret} 7`);
    });
  },
);
