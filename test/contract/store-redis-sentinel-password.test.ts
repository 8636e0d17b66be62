import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { osRandomness } from '@symmetra/entropy/device';
import { checkNodeFiles } from '@symmetra/node';
import { effectiveConfig, parseNodeConfig } from '@symmetra/runtime/configuration';
import { openRedisStore } from '@symmetra/storage';
import type { RedisStoreOptions } from '@symmetra/storage';
import { RedisServer, redisServerMissing } from '@symmetra/testing';
import type { RedisSettings } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openNodeStore } from '../../packages/node/src/provision/node-store.js';
import { refusal, temporaryDirectory } from './store-fixtures.js';
import { PREFIX, startServer } from './store-redis-fixtures.js';
import { TestAuthority } from './test-authority.js';

const missing = redisServerMissing();
const { bytes: random } = osRandomness();
const MASTER = 'symmetra';
const PASSWORD = 'what-sentinels-ask-for';
const OF_USER = 'what-node-1-is-asked-for';

describe.skipIf(missing !== undefined)(
  `Sentinels that ask for a password${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let master: RedisServer;
    let sentinel: RedisServer;
    beforeAll(async () => {
      master = await RedisServer.start();
      sentinel = await startSentinel();
    });
    afterAll(async () => {
      await sentinel.end();
      await master.end();
    });

    async function startSentinel(on = master, settings: RedisSettings = {}): Promise<RedisServer> {
      return RedisServer.startSentinel(MASTER, on, 1, {
        requirepass: PASSWORD,
        user: [
          `node-1 on >${OF_USER} resetchannels -@all +sentinel|get-master-addr-by-name +sentinel|sentinels`,
          `another on >${OF_USER} resetchannels -@all +ping`,
        ],
        ...settings,
      });
    }

    /** How asking a Sentinel with these words ends. */
    async function asked(
      server: { readonly username?: string; readonly password?: string },
      options: Partial<RedisStoreOptions> = {},
    ): Promise<string> {
      const opening = openRedisStore({
        server: { sentinels: [sentinel.address], master: MASTER, ...server },
        prefix: PREFIX,
        timeoutMs: 2000,
        ...options,
      });
      return refusal(opening.then(async (store) => store.close()));
    }

    it('are given it', async () => {
      expect(await asked({ password: PASSWORD })).toBe('none');
    });

    it('are told a user as well', async () => {
      expect(await asked({ username: 'node-1', password: OF_USER })).toBe('none');
    });

    it.each([
      ['no password', {}],
      ['a wrong password', { password: 'wrong' }],
      ['the password of another user', { username: 'node-1', password: PASSWORD }],
      ['a user who may not ask', { username: 'another', password: OF_USER }],
    ])('STORE_REFUSED: %s', async (_, server) => {
      expect(await asked(server)).toBe('STORE_REFUSED');
    });

    it('do not get the password of the server, and one that refuses does not keep from asking the next', async () => {
      expect(await asked({}, { password: PASSWORD })).toBe('STORE_REFUSED');
      const strict = await startSentinel(master, { requirepass: 'another' });
      onTestFinished(async () => strict.end());
      const both = { sentinels: [strict.address, sentinel.address], master: MASTER, password: PASSWORD };
      expect(await asked({}, { server: both })).toBe('none');
    });

    it('have it of a file of the node, closed to others', async () => {
      const dir = await temporaryDirectory();
      const config = parseNodeConfig(
        {
          node: 'node-1',
          network: 'network.json',
          data: '.',
          bus: { servers: ['nats://127.0.0.1:1'] },
          store: {
            kind: 'redis',
            sentinels: [sentinel.address],
            master: MASTER,
            sentinelUsername: 'node-1',
            sentinelPasswordFile: 'sentinel.password',
          },
        },
        dir,
      );
      const file = join(dir, 'sentinel.password');
      await writeFile(file, `${OF_USER}\n`, { mode: 0o644 });
      await (await openNodeStore(config, random)).close();
      for (const name of ['network.json', 'nkey.seed']) await writeFile(join(dir, name), '', { mode: 0o600 });
      await expect(checkNodeFiles(config)).rejects.toMatchObject({
        code: 'KEY_FILE_MODE',
        details: { field: 'store.sentinelPasswordFile' },
      });
      await chmod(file, 0o600);
      await checkNodeFiles(config);
      expect(JSON.stringify(effectiveConfig(config))).not.toContain(OF_USER);
    });

    it('BAD_CONFIG: a user without a password', async () => {
      expect(await asked({ username: 'node-1' })).toBe('BAD_CONFIG');
    });

    it('are asked over TLS where the server is, and no error repeats the password', async () => {
      const dir = await temporaryDirectory();
      const authority = new TestAuthority('authority');
      const { cert, key } = authority.issue('redis');
      const files = { ca: join(dir, 'ca.pem'), cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
      await writeFile(files.ca, authority.cert);
      await writeFile(files.cert, cert);
      await writeFile(files.key, key);
      const tlsSettings = {
        'tls-cert-file': files.cert,
        'tls-key-file': files.key,
        'tls-ca-cert-file': files.ca,
        'tls-replication': 'yes',
      };
      const secure = await startSentinel(await startServer(tlsSettings), tlsSettings);
      onTestFinished(async () => secure.end());
      const server = { sentinels: [secure.tlsAddress], master: MASTER, password: PASSWORD };
      const tls = { ca: authority.cert, cert, key };
      expect(await asked({}, { server, tls })).toBe('none');
      const wrong = { ...server, password: 'wrong' };
      expect(await asked({}, { server: wrong, tls })).toBe('STORE_REFUSED');
      const error: unknown = await openRedisStore({
        server: { ...server, username: 'node-1' },
        prefix: PREFIX,
        timeoutMs: 2000,
        tls,
      }).catch((error_: unknown) => error_);
      expect(inspect(error, { depth: 9 })).not.toContain(PASSWORD);
    });
  },
);
