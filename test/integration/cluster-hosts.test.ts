import { writeFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeClient } from '@symmetra/rpc';
import { Prng, clusterMissing, freePorts } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterViolationsOf } from './cluster-checker.js';
import { CLUSTER_POLICY } from './cluster-control.js';
import { finishPairs } from './cluster-end.js';
import { ClusterHosts, hostsMissing } from './cluster-hosts.js';
import { ClusterLoad } from './cluster-load.js';
import { ClusterWorld } from './cluster-world.js';
import { violationsOf } from './fleet-checker.js';

/* Three hosts, each with a node and a NATS server that keeps the control log; the network between them is cut. */

const DEVICES = 5;
/** The device that the administrator's tool revokes. */
const LOST = 3;
const WAIT_MS = 4000;
/** A device that calls nobody asks its nodes once a minute, and notices by it that its home is cut off; more than 100 s were seen. */
const PATIENCE_MS = 150_000;
const LIMIT_MS = 300_000;
const KEY_REVOKED = { kind: 'key-revoke', keyId: new Uint8Array(16), reason: 'leaked' } as const;
const missing = clusterMissing() ?? hostsMissing();

describe.skipIf(missing !== undefined)('a cluster on three hosts', { timeout: LIMIT_MS }, () => {
  const closers: (() => Promise<void>)[] = [];
  let leader = 0;
  let hosts: ClusterHosts;
  let world: ClusterWorld;
  let load: ClusterLoad;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'symmetra-hosts-'));
    closers.push(async () => rmSync(folder, { recursive: true, force: true }));
    hosts = await ClusterHosts.start(folder);
    closers.push(async () => hosts.stop());
    const [first, second, third, ...others] = await freePorts(8);
    const nodes = [first, second, third].map(Number);
    for (const [i, port] of nodes.entries()) await hosts.publish(i, port);
    world = await ClusterWorld.start((dir) => {
      const [a, b, c, nats, redis] = others;
      mkdirSync(join(dir, 'cluster'));
      writeFileSync(
        join(dir, 'cluster', 'cluster.json'),
        JSON.stringify({
          shape: { nodes: 3, threshold: 2, replicas: [1, 1, 1], stores: ['lmdb', 'lmdb', 'lmdb'] },
          ports: { nats, redis, nodes: nodes.map((port) => [port]), metrics: [[a], [b], [c]] },
        }),
      );
      return {
        within: (node) => hosts.within(node),
        environment: {
          SYMMETRA_NODE_LISTEN_HOST: '0.0.0.0',
          SYMMETRA_NODE_BUS_LOG_REPLICAS: '3',
          SYMMETRA_NODE_FRESHNESS_MAX_STALENESS_SECONDS: '3',
        },
      };
    });
    closers.push(async () => world.stop());
    await world.control.submit({ kind: 'policy', policy: CLUSTER_POLICY });
    const token = await world.control.token(DEVICES);
    for (let i = 0; i < DEVICES; i++) await world.join(`d${i}`, token);
    load = new ClusterLoad(world, new Prng('cluster hosts/1'), world.members.slice(0, LOST + 1));
    load.start();
    closers.push(async () => load.end());
  });
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
  });

  /** Both ends hold the key. @returns the nodes that took part */
  async function agree(threshold: 'k' | 'all' = 'k'): Promise<readonly string[]> {
    const [one, other] = world.members;
    const key = await one?.device.negotiate(other?.id ?? '', { threshold, wait: WAIT_MS });
    if (key === undefined || key.state === 'pending') return [];
    expect(other?.device.key(key.keyId).fingerprint).toBe(key.fingerprint);
    return key.nodes;
  }

  async function health(i: number): Promise<string> {
    const client = new NodeClient(`127.0.0.1:${world.cluster.node(`node-${i + 1}`).port}`);
    return client.health().finally(() => client.close());
  }

  async function untilHealth(expected: string, ...nodes: readonly number[]): Promise<void> {
    for (const i of nodes) {
      await expect.poll(async () => health(i), { timeout: PATIENCE_MS, interval: 100 }).toBe(expected);
    }
  }

  async function untilAllTakePart(): Promise<void> {
    const look = { timeout: PATIENCE_MS, interval: 300 };
    await expect.poll(async () => agree('all').catch(() => []), look).toHaveLength(3);
  }

  async function keysGoOn(): Promise<void> {
    const look = { timeout: PATIENCE_MS, interval: 100 };
    await expect.poll(async () => (await agree().catch(() => [])).length, look).toBeGreaterThan(1);
  }

  test("CTL-8: the administrator's tool goes on asking until the log has a leader again", async () => {
    const lost = world.members.at(LOST);
    if (lost === undefined) throw new Error('there is no such device');
    lost.isRevoked = true;
    leader = await hosts.leader();
    await hosts.nats[leader]?.kill();
    const revoke = [
      'admin',
      'device',
      'revoke',
      lost.id,
      '--reason',
      'lost',
      '--data',
      world.cluster.adminDir,
    ];
    const told = world.control.besides(async () => world.cluster.run(...revoke));
    await Promise.all([told, keysGoOn()]);
    world.devices.note(lost.name, { kind: 'revoked' });
    expect(await told).toMatchObject({
      receipts: [{ applied: true }, { applied: true }, { applied: true }],
    });
    await hosts.nats[leader]?.start();
  });

  test('each other NATS server dies: keys and control events go on', async () => {
    for (const [i, server] of hosts.nats.entries()) {
      if (i === leader) continue;
      await server.kill();
      const [event] = await Promise.all([world.control.submit(KEY_REVOKED), keysGoOn()]);
      expect(event.applied.length).toBeGreaterThan(1);
      await server.start();
    }
    await untilAllTakePart();
  });

  test('CTL-7: the majority goes on without a host that is cut off, whose node says so', async () => {
    await hosts.cut(2);
    await untilHealth('NOT_SERVING', 2);
    await untilHealth('SERVING', 0, 1);
    await keysGoOn();
    const { applied } = await world.control.submit(KEY_REVOKED, ['node-1', 'node-2']);
    expect([...applied].toSorted()).toEqual(['node-1', 'node-2']);
    await expect(agree('all')).rejects.toMatchObject({
      code: expect.stringMatching(/^(NODE_STALE|NODE_UNREACHABLE|SESSION_LOST|HOME_WITHHOLDS)$/),
    });
    await hosts.heal(2);
    await untilHealth('SERVING', 0, 1, 2);
    await untilAllTakePart();
  });

  test('CTL-7: nobody goes on when all are cut off, and all do by themselves afterwards', async () => {
    await hosts.cut(0, 1, 2);
    await untilHealth('NOT_SERVING', 0, 1, 2);
    await expect(agree()).rejects.toMatchObject({ code: 'NODE_STALE' });
    await hosts.heal(0, 1, 2);
    await untilHealth('SERVING', 0, 1, 2);
    await untilAllTakePart();
  });

  test('nothing was lost', async () => {
    await load.end();
    await finishPairs(world, new Prng('cluster hosts/2'));
    const devices = world.devices.read();
    const violations = [
      ...violationsOf(devices, []),
      ...clusterViolationsOf(world.events.read(), devices, world.seals()),
    ];
    expect(violations).toEqual([]);
    expect(world.occurrences.missing(['negotiate: active', 'ratchet: ok', 'enrol'])).toEqual([]);
  }, 240_000);
});
