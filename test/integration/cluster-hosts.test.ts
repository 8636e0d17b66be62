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
const PATIENCE_MS = 60_000;
const missing = clusterMissing() ?? hostsMissing();

describe.skipIf(missing !== undefined)('a cluster on three hosts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'symmetra-hosts-'));
  const closers: (() => Promise<void>)[] = [];
  let hosts: ClusterHosts;
  let world: ClusterWorld;
  let load: ClusterLoad;

  beforeAll(async () => {
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
        environment: { SYMMETRA_NODE_LISTEN_HOST: '0.0.0.0', SYMMETRA_NODE_BUS_LOG_REPLICAS: '3' },
      };
    });
    closers.push(async () => world.stop());
    await world.control.submit({ kind: 'policy', policy: CLUSTER_POLICY });
    const token = await world.control.token(DEVICES);
    for (let i = 0; i < DEVICES; i++) await world.join(`d${i}`, token);
    load = new ClusterLoad(world, new Prng('cluster hosts/1'), world.members.slice(0, 3));
    load.start();
    closers.push(async () => load.end());
  });
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Both ends hold the key. @returns the nodes that took part */
  async function agree(threshold: 'k' | 'all' = 'k'): Promise<readonly string[]> {
    const [one, other] = world.members;
    const key = await one?.device.negotiate(other?.id ?? '', { threshold });
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

  test.each([0, 1, 2])('the NATS server of host %i dies: keys and control events go on', async (i) => {
    await hosts.nats[i]?.kill();
    const began = performance.now();
    const event = world.control.token();
    const key = expect
      .poll(async () => (await agree().catch(() => [])).length, { timeout: PATIENCE_MS, interval: 100 })
      .toBeGreaterThan(1);
    await key;
    console.log('key', performance.now() - began);
    await event;
    console.log('event', performance.now() - began);
    await hosts.nats[i]?.start();
    console.log('healthy', performance.now() - began);
    await untilAllTakePart();
    console.log('all', performance.now() - began);
    console.log(
      world.events
        .read()
        .filter((e) => e.seen.kind === 'not-taken')
        .map((e) => JSON.stringify(e.seen)),
    );
  });

  test('CTL-7: the majority goes on without a host that is cut off, whose node says so', async () => {
    await hosts.cut(2);
    const began = performance.now();
    await untilHealth('NOT_SERVING', 2);
    console.log('stale', performance.now() - began);
    await untilHealth('SERVING', 0, 1);
    await expect.poll(async () => (await agree().catch(() => [])).length, { timeout: PATIENCE_MS }).toBe(2);
    expect(
      (
        await world.control.submit({ kind: 'key-revoke', keyId: new Uint8Array(16), reason: 'test' }, [
          'node-1',
          'node-2',
        ])
      ).applied,
    ).not.toContain('node-3');
    console.log('majority', performance.now() - began);
    await hosts.heal(2);
    await untilHealth('SERVING', 0, 1, 2);
    await untilAllTakePart();
    console.log('healed', performance.now() - began);
  });

  test('CTL-7: nobody goes on when all are cut off, and all do by themselves afterwards', async () => {
    await hosts.cut(0, 1, 2);
    await untilHealth('NOT_SERVING', 0, 1, 2);
    const began = performance.now();
    const failure = await agree().catch((error: unknown) => error);
    console.log('all cut', failure, performance.now() - began);
    await hosts.heal(0, 1, 2);
    await untilHealth('SERVING', 0, 1, 2);
    await untilAllTakePart();
    console.log('healed', performance.now() - began);
  });

  test('nothing was lost', async () => {
    await load.end();
    await finishPairs(world, new Prng('cluster hosts/2'));
    const devices = world.devices.read();
    const violations = [
      ...violationsOf(devices, []),
      ...clusterViolationsOf(world.events.read(), devices, world.seals()),
    ];
    console.log(world.occurrences.all());
    expect(violations).toEqual([]);
  });
});
