import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { openRedisStore } from '@symmetra/storage';
import type { RedisStoreOptions } from '@symmetra/storage';
import { RedisServer, redisServerMissing } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fromText, refusal, temporaryDirectory, text } from './store-fixtures.js';
import { PREFIX, openOn, startServer } from './store-redis-fixtures.js';

const missing = redisServerMissing();
const openssl = ['openssl'].find((program) => spawnSync(program, ['version']).status === 0);
const SAMPLE = new URL('../../deploy/redis/redis.conf', import.meta.url);
const PASSWORD = 'a-password-that-nothing-repeats';

describe('the options of a Redis store', () => {
  const server = { url: 'redis://127.0.0.1:1' };
  const wrong: readonly [string, string, Partial<RedisStoreOptions>][] = [
    ['a password in the address', 'url', { server: { url: `redis://:${encodeURI(PASSWORD)}@127.0.0.1` } }],
    ['a user in the address', 'url', { server: { url: 'redis://node-1@127.0.0.1' } }],
    ['another scheme', 'url', { server: { url: 'http://127.0.0.1' } }],
    ['no address', 'url', { server: { url: 'redis' } }],
    ['parameters', 'url', { server: { url: 'redis://127.0.0.1?db=1' } }],
    ['a database that is none', 'url', { server: { url: 'redis://127.0.0.1/rows' } }],
    ['no Sentinel', 'sentinels', { server: { sentinels: [], master: 'm' } }],
    ['a Sentinel with a password', 'sentinels', { server: { sentinels: ['x:y@127.0.0.1:1'], master: 'm' } }],
    ['a master without a name', 'master', { server: { sentinels: ['127.0.0.1:1'], master: '' } }],
    ['an empty prefix', 'prefix', { prefix: '' }],
    ['a prefix with braces', 'prefix', { prefix: '{a}' }],
    ['a user without a password', 'password', { username: 'node-1' }],
    ['no time', 'timeoutMs', { timeoutMs: 0 }],
  ];

  it.each(wrong)('refuse %s', async (_, field, options) => {
    const error: unknown = await openRedisStore({ server, prefix: PREFIX, ...options }).catch(
      (error_: unknown) => error_,
    );
    expect(error).toMatchObject({ code: 'BAD_CONFIG', details: { field } });
    expect(inspect(error)).not.toContain(encodeURI(PASSWORD));
  });

  it('name a server that is not there: one error, in time', async () => {
    const opening = openRedisStore({ server, prefix: PREFIX, timeoutMs: 200 });
    await expect(opening).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      details: { cause: 'ECONNREFUSED' },
    });
    const sentinels = { sentinels: ['127.0.0.1:1'], master: 'm' };
    const asking = openRedisStore({ server: sentinels, prefix: PREFIX, timeoutMs: 200 });
    await expect(asking).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('a server that is too old', () => {
  it('is refused before anything is read', async () => {
    const info = 'redis_version:6.2.14\r\nmaxmemory_policy:noeviction\r\nloading:0\r\nrole:master\r\n';
    let heard = '';
    const old = createServer((socket) =>
      socket.on('data', (chunk) => {
        heard += chunk.toString();
        socket.write(`$${info.length}\r\n${info}\r\n`);
      }),
    ).listen(0, '127.0.0.1');
    onTestFinished(() => void old.close());
    await once(old, 'listening');
    const url = `redis://127.0.0.1:${(old.address() as AddressInfo).port}`;
    await expect(openRedisStore({ server: { url }, prefix: PREFIX })).rejects.toMatchObject({
      code: 'STORE_SERVER',
      details: { found: '6.2.14' },
    });
    expect(heard.toLowerCase()).toBe('*1\r\n$4\r\ninfo\r\n');
  });
});

describe.skipIf(missing !== undefined)(
  `opening a store in Redis${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await RedisServer.start();
    });
    afterAll(() => server.end());

    /** The warnings while some settings are other than they should be. */
    async function warningsWith(settings: Readonly<Record<string, string>>): Promise<readonly string[]> {
      const before = Object.keys(settings).map((name) => [
        name,
        { appendonly: 'yes', appendfsync: 'always' }[name] ?? '',
      ]);
      for (const [name, value] of Object.entries(settings)) {
        expect(await server.command('CONFIG', 'SET', name, value)).toBe('+OK');
      }
      const { warnings } = await openOn(server);
      for (const [name = '', value = ''] of before) {
        await server.command('CONFIG', 'SET', name, name.startsWith('no-') ? 'no' : value);
      }
      return warnings.map(({ code, message }) => `${code}: ${message}`);
    }

    it('has nothing to warn of when the server is as it should be', async () => {
      expect((await openOn(server)).warnings).toEqual([]);
    });

    it.each([
      ['REDIS_NO_LOG: Redis loses everything when it ends', { appendonly: 'no', save: '' }],
      ['REDIS_NO_LOG: Redis loses what came after its last snapshot', { appendonly: 'no', save: '60 1' }],
      ['REDIS_FSYNC: ', { appendfsync: 'everysec' }],
      ['REDIS_FSYNC: ', { appendfsync: 'no' }],
      ['REDIS_FSYNC_ON_REWRITE: ', { 'no-appendfsync-on-rewrite': 'yes' }],
    ])('warns of weaker durability: %s %o', async (warning, settings) => {
      const warnings = await warningsWith(settings);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(warning);
    });

    it.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])(
      'refuses a server that evicts: %s',
      async (policy) => {
        await server.command('CONFIG', 'SET', 'maxmemory-policy', policy);
        await expect(openOn(server)).rejects.toMatchObject({ code: 'STORE_EVICTS', details: { policy } });
        await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      },
    );

    it('refuses a replica', async () => {
      await server.command('REPLICAOF', '127.0.0.1', '1');
      await expect(openOn(server, { timeoutMs: 1000 })).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        details: { cause: 'READONLY' },
      });
      await server.command('REPLICAOF', 'NO', 'ONE');
    });

    it('refuses a store of a newer version, and rows without a version', async () => {
      await server.command('SET', '{newer}:format', 'symmetra-store 2');
      await expect(openOn(server, { prefix: 'newer' })).rejects.toMatchObject({
        code: 'STORE_VERSION',
        details: { found: 'symmetra-store 2', expected: 1 },
      });
      await server.command('HSET', '{foreign}:rows', 'a', 'b');
      await expect(openOn(server, { prefix: 'foreign' })).rejects.toMatchObject({
        code: 'STORE_VERSION',
        details: { found: 'none' },
      });
      expect(await server.command('EXISTS', '{foreign}:format')).toBe(':0');
    });

    it('keeps stores with different prefixes apart, and shares one among its processes', async () => {
      const [one, again, other] = [
        await openOn(server),
        await openOn(server),
        await openOn(server, { prefix: 'other' }),
      ];
      await one.commit([{ key: 'a', value: text('one') }]);
      expect(fromText((await again.get('a'))?.value)).toBe('one');
      expect(await other.scan('')).toEqual([]);
      const numbered = await openOn(server, { server: { url: `${server.url}/3` } });
      expect(await numbered.scan('')).toEqual([]);
    });

    it('takes more at a time than one batch holds', async () => {
      const store = await openOn(server, { prefix: 'many' });
      const keys = Array.from({ length: 1100 }, (_, i) => `row/${i}`);
      const made = await Promise.all(
        keys.map(async (key) => store.commit([{ key, value: text(key), expect: 0 }])),
      );
      expect(made.every(Boolean)).toBe(true);
      const rows = await Promise.all(keys.map(async (key) => store.get(key)));
      expect(rows.map((row) => fromText(row?.value))).toEqual(keys);
      expect(rows.map((row) => row?.version)).toEqual(keys.map((_, i) => i + 1));
      expect((await store.scan('row/')).map(({ key }) => key)).toEqual(keys.toSorted());
      const large = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((key) => ({
        key,
        value: new Uint8Array(2 ** 20),
      }));
      expect(await Promise.all(large.map(async (change) => store.commit([change])))).toEqual(
        large.map(() => true),
      );
      expect(await store.commit(large)).toBe(true);
    });

    it('says that a row is damaged, and reads the others', async () => {
      const store = await openOn(server, { prefix: 'damaged' });
      await store.commit([{ key: 'b', value: text('b') }]);
      await server.command('HSET', '{damaged}:rows', 'a', 'short');
      await server.command('ZADD', '{damaged}:index', '0', 'a');
      const [a, b] = await Promise.all([refusal(store.get('a')), store.get('b')]);
      expect([a, fromText(b?.value)]).toEqual(['STORE_CORRUPT', 'b']);
      expect(await refusal(store.scan(''))).toBe('STORE_CORRUPT');
    });

    it('refuses a wrong password and a missing one, and repeats neither', async () => {
      const locked = await startServer({ requirepass: 'the-right-one' });
      for (const credentials of [{ password: PASSWORD }, { username: 'node-1', password: PASSWORD }, {}]) {
        const error: unknown = await openOn(locked, credentials).catch((error_: unknown) => error_);
        expect(error).toMatchObject({ code: 'STORE_REFUSED' });
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSWORD);
      }
      expect((await openOn(locked, { password: 'the-right-one' })).warnings).toEqual([]);
    });

    it('gives up in time when the server hangs', async () => {
      const hanging = await startServer();
      hanging.suspend();
      const opening = openOn(hanging, { timeoutMs: 300 });
      await expect(opening).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        details: { cause: 'timeout' },
      });
    });

    it.skipIf(openssl === undefined)('speaks TLS, and says when there is none', async () => {
      const dir = await temporaryDirectory();
      const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
      const subject = [
        '-subj',
        '/CN=redis',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-days',
        '2',
        '-nodes',
      ];
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
      const files = ['-keyout', keyFile, '-out', certFile];
      spawnSync(openssl ?? '', ['req', '-x509', ...curve, ...subject, ...files]);
      const secure = await startServer({
        'tls-cert-file': certFile,
        'tls-key-file': keyFile,
        'tls-ca-cert-file': certFile,
      });
      const [ca, key] = await Promise.all([readFile(certFile), readFile(keyFile, 'utf8')]);
      const rediss = { server: { url: `rediss://127.0.0.1:${secure.tlsPort}` }, timeoutMs: 1000 };
      const store = await openOn(secure, { ...rediss, tls: { ca, cert: ca, key } });
      expect(await store.commit([{ key: 'a', value: text('a') }])).toBe(true);
      const strange = { ...rediss, tls: { ca: 'not a certificate', cert: 'x', key: 'x' } };
      expect(await refusal(openOn(secure, rediss))).toBe('STORE_TLS');
      expect(await refusal(openOn(secure, strange))).toBe('STORE_TLS');
      // The other side hangs up.
      for (const url of [`rediss://127.0.0.1:${secure.port}`, `redis://127.0.0.1:${secure.tlsPort}`]) {
        expect(await refusal(openOn(secure, { server: { url }, timeoutMs: 1000 }))).toBe('STORE_UNAVAILABLE');
      }
    });
  },
);

describe.skipIf(missing !== undefined)('deploy/redis/redis.conf', () => {
  let server: RedisServer;
  const asNode = { username: 'node-1', password: PASSWORD };

  beforeAll(async () => {
    // The digest of the node's password is all that is replaced in the sample.
    const digest = createHash('sha256').update(PASSWORD).digest('hex');
    server = await RedisServer.startWith((await readFile(SAMPLE, 'utf8')).replace('0'.repeat(64), digest));
  });
  afterAll(() => server.end());

  it('starts a server that the start-up check has nothing to say of, with all that a store needs', async () => {
    const store = await openOn(server, asNode);
    expect(store.warnings).toEqual([]);
    const rows = ['a', 'b'].map((key) => ({ key, value: text(key), expect: 0 }));
    expect(await store.commit(rows)).toBe(true);
    expect(await store.commit([{ key: 'a', value: null }])).toBe(true);
    expect((await store.scan('')).map(({ key }) => key)).toEqual(['b']);
    expect(await store.get('a')).toBeUndefined();
  });

  it('lets nobody in without the password, and nobody into the store of another node', async () => {
    expect(await refusal(openOn(server))).toBe('STORE_REFUSED');
    expect(await refusal(openOn(server, { ...asNode, password: '' }))).toBe('STORE_REFUSED');
    expect(await refusal(openOn(server, { ...asNode, prefix: 'symmetra:node-2:0123456789abcdef' }))).toBe(
      'STORE_REFUSED',
    );
  });

  it.each([
    ['CONFIG', 'SET', 'appendfsync', 'no'],
    ['CONFIG', 'REWRITE'],
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['DEL', `{${PREFIX}}:rows`],
    ['RENAME', `{${PREFIX}}:rows`, `{${PREFIX}}:old`],
    ['EXPIRE', `{${PREFIX}}:rows`, '1'],
    ['DUMP', `{${PREFIX}}:rows`],
    ['EVAL', 'return 1', '0'],
    ['SCRIPT', 'FLUSH'],
    ['FUNCTION', 'LIST'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['SHUTDOWN'],
    ['ACL', 'LIST'],
    ['CLIENT', 'LIST'],
    ['MONITOR'],
    ['SAVE'],
    ['PUBLISH', 'x', 'y'],
    ['GET', 'another key'],
  ])('gives the user of a node no more: %s %s', async (...command) => {
    expect(await server.commands([['AUTH', 'node-1', PASSWORD], command])).toMatch(/^\+OK\r\n-NOPERM /);
  });

  it('without config|get: says that it can not see', async () => {
    const blind = await startServer({ user: [`blind on >${PASSWORD} ~* &* +@all -config`] });
    const { warnings } = await openOn(blind, { username: 'blind', password: PASSWORD });
    expect(warnings.map(({ code }) => code)).toEqual(['REDIS_CONFIG_HIDDEN']);
    const mute = await startServer({ user: [`mute on >${PASSWORD} ~* &* +@all -info`] });
    expect(await refusal(openOn(mute, { username: 'mute', password: PASSWORD }))).toBe('STORE_REFUSED');
  });
});
