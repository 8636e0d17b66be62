import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { osRandomness } from '@symmetra/entropy/device';
import { initNode } from '@symmetra/node';
import { createLogger } from '@symmetra/runtime';
import { parseNodeConfig } from '@symmetra/runtime/configuration';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import { ManualClock, RedisServer, redisServerMissing } from '@symmetra/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MarkKeeper } from '../../packages/node/src/process/mark-keeper.js';
import { openNodeStore } from '../../packages/node/src/provision/node-store.js';
import type { NodeStore } from '../../packages/node/src/provision/node-store.js';
import { refusal, text } from './store-fixtures.js';

const missing = redisServerMissing();
const { bytes: random } = osRandomness();
const AT = { addresses: ['127.0.0.1:7401'], operator: 'Example Ltd', random };

describe.skipIf(missing !== undefined)(
  `the store of a node in Redis${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let server: RedisServer;
    let dir: string;
    const open: NodeStore[] = [];
    beforeAll(async () => {
      server = await RedisServer.start();
    });
    afterAll(async () => server.end());
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'symmetra-node-store-'));
      await server.command('FLUSHALL');
    });
    afterEach(async () => {
      for (const store of open.splice(0)) await store.close();
      await rm(dir, { recursive: true, force: true });
    });

    /** The configuration of node-1 of some network, with a directory of its own. */
    function configOf(data: string, changes: object = {}): NodeConfig {
      const store = { kind: 'redis', url: server.url };
      const bus = { servers: ['nats://127.0.0.1:1'] };
      return parseNodeConfig({ node: 'node-1', network: 'n.json', data, store, bus, ...changes }, dir);
    }

    async function openStore(config: NodeConfig): Promise<NodeStore> {
      const opened = await openNodeStore(config, random);
      open.push(opened);
      return opened;
    }

    it('is its own where nodes of two networks have one id and one database', async () => {
      const [here, there] = [configOf('here'), configOf('there')];
      const made = await Promise.all([initNode(here, AT), initNode(there, AT)]);
      expect(made[0].node.signingKey).not.toEqual(made[1].node.signingKey);
      const [ours, theirs] = [(await openStore(here)).store, (await openStore(there)).store];
      await ours.commit([{ key: 'device/alice', value: text('ours'), expect: 0 }]);
      expect((await theirs.scan('')).map(({ key }) => key)).toEqual(['identity']);
      await theirs.commit([{ key: 'identity', value: null }]);
      expect((await ours.scan('')).map(({ key }) => key)).toEqual(['device/alice', 'identity']);
    });

    it('is the same for all processes that have the master key of the node', async () => {
      const made = await initNode(configOf('here'), AT);
      const replica = configOf('replica', { masterKeyFile: 'here/master.key' });
      expect((await initNode(replica, AT)).node).toEqual(made.node);
      const another = configOf('another', { node: 'node-2', masterKeyFile: 'here/master.key' });
      expect(await refusal((await openStore(another)).store.get('identity'))).toBe('none');
      expect((await initNode(another, AT)).node.signingKey).not.toEqual(made.node.signingKey);
    });

    it('STORE_SET_BACK: that lost what it had is refused by a process that starts afresh', async () => {
      const config = configOf('here');
      await initNode(config, AT);
      const running = await openNodeStore(config, random);
      await running.store.commit([{ key: 'device/alice', value: text('alice') }]);
      await running.close();
      await server.command('FLUSHALL');
      expect(await refusal((await openStore(config)).store.get('identity'))).toBe('STORE_SET_BACK');
      expect(await refusal(initNode(config, AT))).toBe('STORE_SET_BACK');
      // Whoever takes the mark away takes the store as it is.
      await rm(join(config.data, 'store.mark'));
      expect(await refusal(initNode(config, AT))).toBe('none');
    });

    it('STORE_SET_BACK: also when the process that knew more was killed', async () => {
      const config = configOf('here');
      await initNode(config, AT);
      const killed = await openStore(config);
      const clock = new ManualClock();
      const keeper = new MarkKeeper(killed.keepMark, clock, createLogger({ level: 'silent', clock }));
      await killed.store.commit([{ key: 'device/alice', value: text('alice') }]);
      clock.advance(1000);
      await keeper.stop();
      await server.command('FLUSHALL');
      expect(await refusal((await openStore(config)).store.get('identity'))).toBe('STORE_SET_BACK');
    });

    it('that goes on where it was is taken', async () => {
      const config = configOf('here');
      const { node } = await initNode(config, AT);
      await server.kill();
      await server.restart();
      expect((await initNode(config, AT)).node).toEqual(node);
    });
  },
);
