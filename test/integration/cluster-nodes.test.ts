import { spawnSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NegotiateOptions } from '@symmetra/sdk';
import { clusterMissing } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterWorld } from './cluster-world.js';
import type { Member } from './fleet-member.js';

/* Three nodes, each a process with a store of its own; the second has a small disk. */

const DISK_BYTES = 12_000_000;
const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const STORE_FULL = '"code":"STORE_FULL"';
/** More than it takes. */
const STEPS = 100;
const WAIT_MS = 5000;
const PATIENCE_MS = 25_000;
/** Mounts a small disk where the first argument says, with what is there, and runs the rest. */
const ON_SMALL_DISK = `set -e; cp -a "$0" "$0.kept"; mount -t tmpfs -o size=${DISK_BYTES},mode=0700 tmpfs "$0"; cp -a "$0.kept/." "$0"; exec "$@"`;

/** Whether this process may mount a disk that nobody else sees. */
const mayMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;
if (!mayMount && process.env['CI'] === 'true') {
  throw new Error('this process may not mount a disk of its own');
}

describe.skipIf(clusterMissing() !== undefined)('nodes of a cluster that fail', () => {
  let world: ClusterWorld;
  let alice: Member;
  let bob: Member;

  beforeAll(async () => {
    world = await ClusterWorld.start((folder) => ({
      within: (node) =>
        node === 'node-2' && mayMount
          ? ['unshare', '--mount', 'sh', '-c', ON_SMALL_DISK, join(folder, 'cluster', 'node-2', 'data')]
          : [],
    }));
    const token = await world.control.token(2);
    [alice, bob] = [await world.join('alice', token), await world.join('bob', token)];
  });
  afterAll(async () => world.stop());

  /** Agrees on a key. @returns the nodes that took part */
  async function agree(options: NegotiateOptions = {}): Promise<readonly string[]> {
    const key = await alice.device.negotiate(bob.device.id, options);
    expect(key.state).toBe('active');
    if (key.state === 'pending') return [];
    expect(bob.device.key(key.keyId).fingerprint).toBe(key.fingerprint);
    return key.nodes;
  }

  /** Devices find out by themselves that all nodes are back. */
  async function untilAllTakePart(): Promise<void> {
    await expect
      .poll(async () => agree({ threshold: 'all' }).catch(() => []), { timeout: PATIENCE_MS, interval: 300 })
      .toHaveLength(3);
  }

  test('one of three is gone: keys go on through the others', async () => {
    await untilAllTakePart();
    await world.cluster.node('node-3').kill();
    for (let i = 0; i < 3; i++) expect(await agree()).not.toContain('node-3');
    await alice.device.ratchet();
  });

  test('two are gone: one clear error within the deadline, and recovery by itself', async () => {
    await world.cluster.node('node-1').kill();
    await expect(alice.device.negotiate(bob.device.id, { wait: WAIT_MS })).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
    });
    await Promise.all([world.cluster.node('node-1').start(), world.cluster.node('node-3').start()]);
    await untilAllTakePart();
  });

  test.each([
    ['a day ahead', DAY_MS],
    ['an hour behind', -HOUR_MS],
  ])("CTL-7: a node's clock jumps %s: the others tell of it, and nothing is lost", async (_what, offset) => {
    const { epochs, stage } = alice.device.status();
    world.setClock(world.cluster.node('node-3').port, offset);
    await expect.poll(skewOfThird, { timeout: PATIENCE_MS }).toBeCloseTo(offset / 1000, -1);
    expect((await agree()).length).toBeGreaterThan(1);
    await agree({ threshold: 'all' });
    const after = await alice.device.ratchet();
    expect(after.stage).toBe(stage);
    for (const [node, epoch] of Object.entries(after.epochs)) expect(epoch).toBe((epochs[node] ?? 0) + 1);
    const carol = await world.join(`carol ${offset}`);
    expect(carol.device.stage).toBe('production');
    await world.control.revoke(carol.id);
    await expect(alice.device.negotiate(carol.id)).rejects.toMatchObject({ code: 'PEER_REVOKED' });
    world.setClock(world.cluster.node('node-3').port, 0);
    await expect.poll(skewOfThird, { timeout: PATIENCE_MS }).toBeCloseTo(0, -1);
    await untilAllTakePart();
  });

  test.skipIf(!mayMount)(
    'STORE_FULL: the disk of a node is full; the others go on, and it does when there is room',
    async () => {
      const node = world.cluster.node('node-2');
      const ballast = `/proc/${node.pid}/root${join(world.cluster.dir, 'node-2', 'data', 'ballast')}`;
      fill(ballast);
      // The store uses what room it has before it asks for more.
      for (let i = 0; i < STEPS && !node.log.includes(STORE_FULL); i++) {
        await agree();
        await alice.device.ratchet();
      }
      expect(node.log).toContain(STORE_FULL);
      expect((await agree()).length).toBeGreaterThan(1);
      const { epochs } = alice.device.status();
      rmSync(ballast);
      await untilAllTakePart();
      const after = await alice.device.ratchet();
      expect(after.epochs['node-2']).toBeGreaterThan(epochs['node-2'] ?? 0);
      expect(node.isRunning).toBe(true);
    },
  );

  /** What the first node says of the third one's clock, seconds. */
  async function skewOfThird(): Promise<number> {
    const [[port = 0] = []] = world.cluster.ports.metrics;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^symmetra_peer_clock_skew_seconds\{peer="node-3"\} (.*)$/m.exec(text)?.[1]);
  }
});

/** Takes all room that is left. */
function fill(path: string): void {
  for (let size = 2 ** 20; size >= 2 ** 12; size /= 2) {
    try {
      for (;;) appendFileSync(path, new Uint8Array(size));
    } catch {
      // There is no room for so much.
    }
  }
}
