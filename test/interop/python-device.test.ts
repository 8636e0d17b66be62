import { readFile } from 'node:fs/promises';
import { fromBase32 } from '@symmetra/crypto';
import { DEFAULT_POLICY, promotionCode } from '@symmetra/protocol';
import type { Device, Key, NegotiateOptions } from '@symmetra/sdk';
import { isSkipped } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet } from '../integration/sdk-fleet.js';
import { PythonDevice, checkVectors, findPython } from './python-program.js';
import type { Report } from './python-program.js';

/*
 * A device that a stranger wrote from docs/protocol and the vectors alone, in Debian's Python, against real nodes and
 * the SDK.
 */

const python = findPython();
const SECOND = 1000;
const NONE = new Uint8Array();
const NODES = ['node-1', 'node-2', 'node-3'];
const everywhere = (value: unknown): Record<string, unknown> =>
  Object.fromEntries(NODES.map((node) => [node, value]));

test('a Python that has grpc and cryptography', (context) => {
  context.skip(
    isSkipped(python !== undefined),
    'no Python here has grpc and cryptography: its device is not tested',
  );
  expect(python).toBeDefined();
});

describe.skipIf(python === undefined)("a stranger's device in Python", () => {
  let fleet: Fleet;
  let alice: Device;
  let stranger: PythonDevice;
  let strangerId = '';
  let exported = 0;

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice');
    stranger = start();
  });
  afterAll(async () => {
    await stranger.end();
    await fleet.stop();
  });

  function start(): PythonDevice {
    return new PythonDevice(python ?? '', fleet.state('stranger'));
  }

  /** The process ends, and another goes on from its state. */
  async function restart(): Promise<void> {
    expect(await stranger.end()).toBe('');
    stranger = start();
  }

  /** The bytes of a key that the stranger holds, by a file. */
  async function bytesAtStranger(keyId: string): Promise<Uint8Array> {
    const out = fleet.state(`key-${++exported}`);
    await stranger.command('export', { keyId, out });
    return new Uint8Array(await readFile(out));
  }

  async function keyAtStranger(keyId: string): Promise<Report> {
    return stranger.event('key', (report) => report['keyId'] === keyId);
  }

  /** Both ends hold the same key, and say the same of it. */
  async function compare(ours: Key, peer = alice): Promise<Report> {
    const theirs = await keyAtStranger(ours.keyId);
    expect(theirs).toMatchObject({
      peer: peer.id,
      role: ours.role === 'initiator' ? 'responder' : 'initiator',
      purpose: ours.purpose,
      suite: ours.suite,
      length: ours.length,
      nodes: ours.nodes,
      directKem: ours.directKem,
      continuity: ours.continuity,
      policyRevision: ours.policyRevision,
      fingerprint: ours.fingerprint,
    });
    expect(ours.peer).toBe(strangerId);
    expect(await bytesAtStranger(ours.keyId)).toEqual(ours.bytes());
    return theirs;
  }

  /** The stranger asks, the SDK answers. */
  async function askedByStranger(
    options: Readonly<Record<string, unknown>> = {},
    peer = alice,
  ): Promise<Key> {
    const { keyId } = await stranger.command('negotiate', { peer: peer.id, ...options });
    await keyAtStranger(String(keyId));
    return peer.key(String(keyId));
  }

  /** The SDK asks, the stranger answers. */
  async function askedBySdk(options: NegotiateOptions = {}, peer = alice): Promise<Key> {
    const key = await peer.negotiate(strangerId, options);
    if (key.state === 'pending') throw new Error('the key stays pending');
    return key;
  }

  test('its primitives and steps give the vectors', () => {
    expect(checkVectors(python ?? '')).toBeGreaterThan(900);
  });

  test('it enrols at every node', async () => {
    const enrolled = await stranger.command('enrol', { token: await fleet.token(), name: 'stranger' });
    strangerId = String(enrolled['deviceId']);
    expect(enrolled).toMatchObject({ epochs: everywhere(0), stages: everywhere('bootstrap') });
  });

  test('it ratchets, and shows the promotion code of the console', async () => {
    const { administrator } = fleet.network;
    const stepped = await stranger.command('ratchet');
    expect(stepped).toMatchObject({ epochs: everywhere(1), stages: everywhere('production') });
    const rows = await Promise.all(
      NODES.map(async (node) =>
        administrator.call(node, '/symmetra.admin.v1.AdminService/GetDevice', {
          deviceId: fromBase32(strangerId),
        }),
      ),
    );
    const parts = rows.map(({ device }, place) => ({
      nodeId: NODES[place] ?? '',
      transcriptHash: device?.codePart?.transcriptHash ?? NONE,
      deviceNonce: device?.codePart?.deviceNonce ?? NONE,
      nodeNonce: device?.codePart?.nodeNonce ?? NONE,
    }));
    expect(stepped['code']).toBe(promotionCode(parts));
  });

  test('as initiator it agrees on a key with the SDK, and again with continuity', async () => {
    await stranger.command('connect');
    const first = await askedByStranger();
    await compare(first);
    expect(first).toMatchObject({ role: 'responder', continuity: false, directKem: true });
    const second = await askedByStranger({ purpose: 'backup', keyLength: 48, uses: 3, lifetime: 60 });
    await compare(second);
    expect(second).toMatchObject({ purpose: 'backup', length: 48, continuity: true });
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });

  test('as responder it agrees on a key with the SDK, and again with continuity', async () => {
    const first = await askedBySdk();
    await compare(first);
    expect(first).toMatchObject({ role: 'initiator', continuity: false, direct: false });
    const second = await askedBySdk({ purpose: 'backup', keyLength: 48, uses: 3, lifetime: 60 * SECOND });
    await compare(second);
    expect(second).toMatchObject({ purpose: 'backup', length: 48, continuity: true });
  });

  test.each([2, 3])('in both roles under suite %i', async (suite) => {
    expect(await compare(await askedByStranger({ suite }))).toMatchObject({ suite });
    expect(await compare(await askedBySdk({ suite }))).toMatchObject({ suite });
  });

  test('in both roles without the direct KEM', async () => {
    const without = { directKem: false };
    expect(await compare(await askedByStranger(without))).toMatchObject(without);
    expect(await compare(await askedBySdk(without))).toMatchObject(without);
  });

  test('another process goes on from its state: a step to another suite, then keys with continuity', async () => {
    await restart();
    const stepped = await stranger.command('ratchet', { suite: 3 });
    expect(stepped).toMatchObject({ epochs: everywhere(2), suites: everywhere(3) });
    await stranger.command('connect');
    for (const key of [await askedByStranger(), await askedBySdk()]) {
      expect(key.continuity).toBe(true);
      await compare(key);
    }
  });

  test('it takes a new policy at its next attach: a first contact takes the shares of all nodes', async () => {
    const policy = { ...DEFAULT_POLICY, firstContactAll: true };
    await fleet.network.administrator.submit({ kind: 'policy', policy });
    const bob = await fleet.join('bob');
    await restart();
    await stranger.command('connect');
    for (const key of [await askedByStranger({}, bob), await askedBySdk({}, bob)]) {
      expect(key).toMatchObject({ continuity: false, nodes: NODES });
      await compare(key, bob);
    }
  });

  test('it verifies the notice of a revocation, and drops what it holds with the peer', async () => {
    const key = await askedBySdk();
    await compare(key);
    const revoked = stranger.event('revoked', () => true);
    await fleet.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: fromBase32(alice.id),
      reason: 'lost',
    });
    expect(await revoked).toMatchObject({ subject: Buffer.from(fromBase32(alice.id)).toString('hex') });
    await expect(bytesAtStranger(key.keyId)).rejects.toThrow('KEY_UNKNOWN');
  });

  test('nothing that it was sent was refused or dropped', () => {
    const odd = stranger.reports.filter(({ event }) => event !== undefined && event !== 'key');
    expect(odd.filter(({ event }) => event !== 'revoked')).toEqual([]);
  });
});
