import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import { callOwner, enrol, openDevice } from '@symmetra/sdk';
import { ManualClock, TestDevice } from '@symmetra/testing';
import { Fleet, agree, until } from './sdk-fleet.js';

const PRIVATE = 0o077;

describe('the state of a device', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start();
  });

  afterAll(async () => {
    await fleet.stop();
  });

  const open = async (name: string, passphrase?: string) =>
    openDevice({ state: fleet.state(name), ...(passphrase !== undefined && { passphrase }) });

  test('is closed to others, the control socket included', async () => {
    const alice = await fleet.enrol('alice');
    const state = fleet.state('alice');
    for (const name of ['.', ...(await readdir(state, { recursive: true }))]) {
      expect((await stat(join(state, name))).mode & PRIVATE, name).toBe(0);
    }
    expect(await readdir(state)).toContain('control.sock');
    await alice.close();
    expect(await readdir(state)).not.toContain('owner');
  });

  test('belongs to one process, which gives it back when it closes', async () => {
    const alice = await fleet.open('alice');
    expect(alice.name).toBe('alice');
    await expect(open('alice')).rejects.toMatchObject({
      code: 'STATE_IN_USE',
      details: { pid: process.pid },
    });
    await alice.close();
    await (await fleet.open('alice')).close();
  });

  test('a passphrase seals it, and no other opens it', async () => {
    const carol = await fleet.enrol('carol', { passphrase: 'correct horse' });
    await carol.close();
    await expect(open('carol')).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
    await expect(open('carol', 'wrong horse')).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
    const again = await fleet.open('carol', { passphrase: 'correct horse' });
    expect(again.id).toBe(carol.id);
    await again.close();
    expect(await readdir(fleet.state('carol'))).not.toContain('state.key');
  });

  test('a passphrase for a state that has none is refused', async () => {
    await (await fleet.enrol('keyed')).close();
    await expect(open('keyed', 'horse')).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
  });

  test('missing, empty, foreign, of another version, half written: each has its code', async () => {
    await expect(open('nobody')).rejects.toMatchObject({ code: 'STATE_MISSING' });
    await mkdir(fleet.state('empty'));
    await expect(open('empty')).rejects.toMatchObject({ code: 'STATE_MISSING' });

    await mkdir(fleet.state('foreign'));
    await writeFile(join(fleet.state('foreign'), 'holiday.jpg'), '');
    const token = await fleet.network.administrator.createToken();
    await expect(enrol({ token, state: fleet.state('foreign') })).rejects.toMatchObject({
      code: 'STATE_INCOMPLETE',
    });

    await mkdir(fleet.state('half'));
    await writeFile(join(fleet.state('half'), 'state.key'), Buffer.alloc(32), { mode: 0o600 });
    await expect(open('half')).rejects.toMatchObject({ code: 'STATE_INCOMPLETE' });

    await (await fleet.enrol('versions')).close();
    const format = join(fleet.state('versions'), 'state.json');
    const written = await readFile(format, 'utf8');
    await writeFile(format, written.replace('"version": 1', '"version": 2'));
    await expect(open('versions')).rejects.toMatchObject({ code: 'STATE_VERSION', details: { found: 2 } });
    await writeFile(format, '{"format":');
    await expect(open('versions')).rejects.toMatchObject({ code: 'STATE_INCOMPLETE' });
    await writeFile(format, written);
    await rm(join(fleet.state('versions'), 'store'), { recursive: true });
    await expect(open('versions')).rejects.toMatchObject({ code: 'STATE_INCOMPLETE' });
  });

  test('another key, a short one or an open one do not open it', async () => {
    await (await fleet.enrol('keys')).close();
    const key = join(fleet.state('keys'), 'state.key');
    const bytes = await readFile(key);
    await writeFile(key, Buffer.alloc(32, 7));
    await expect(open('keys')).rejects.toMatchObject({ code: 'STATE_INCOMPLETE' });
    await writeFile(key, bytes.subarray(1));
    await expect(open('keys')).rejects.toMatchObject({ code: 'STATE_INCOMPLETE' });
    await writeFile(key, bytes);
    await chmod(key, 0o644);
    await expect(open('keys')).rejects.toMatchObject({ code: 'KEY_FILE_MODE' });
    await chmod(key, 0o600);
    await (await fleet.open('keys')).close();
  });

  test('an enrolment that was cut short before its end is begun again', async () => {
    await mkdir(fleet.state('cut'));
    await writeFile(join(fleet.state('cut'), 'state.key'), Buffer.alloc(32), { mode: 0o600 });
    const device = await fleet.enrol('cut');
    expect(device.stage).toBe('production');
  });

  test('holds no secret in the clear', async () => {
    const [dave, erin] = [await fleet.join('dave'), await fleet.join('erin')];
    const { ours } = await agree(dave, erin);
    const secret = Buffer.from(ours.bytes());
    await Promise.all([dave.close(), erin.close()]);
    for (const name of await readdir(fleet.state('dave'), { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      expect((await readFile(join(name.parentPath, name.name))).includes(secret), name.name).toBe(false);
    }
  });

  describe('enrolment', () => {
    test('each bad token has its code, and a good one works in the same place afterwards', async () => {
      const state = fleet.state('tokens');
      const { administrator } = fleet.network;
      const good = await administrator.createToken();
      await expect(enrol({ token: good.slice(0, -1), state })).rejects.toMatchObject({
        code: 'TOKEN_MALFORMED',
      });
      await expect(enrol({ token: administrator.issueToken().text, state })).rejects.toMatchObject({
        code: 'TOKEN_UNKNOWN',
      });
      const expired = await administrator.createToken({ expiresMs: Date.now() - 1000 });
      await expect(enrol({ token: expired, state })).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
      const spent = await administrator.createToken();
      await (await enrol({ token: spent, state: fleet.state('first') })).close();
      await expect(enrol({ token: spent, state })).rejects.toMatchObject({ code: 'TOKEN_SPENT' });
      const device = await enrol({ token: good, state });
      expect(device.stage).toBe('production');
      await device.close();
      await expect(enrol({ token: spent, state })).rejects.toMatchObject({ code: 'STATE_TAKEN' });
      const same = await enrol({ token: good, state });
      expect(same.id).toBe(device.id);
      await same.close();
    });

    test('a token in the hands of another is contested', async () => {
      const token = await fleet.network.administrator.createToken();
      const mallory = await TestDevice.meet(token);
      for (const id of fleet.network.nodeIds) await mallory.offer(id);
      await expect(enrol({ token, state: fleet.state('contested') })).rejects.toMatchObject({
        code: 'TOKEN_CONTESTED',
      });
      mallory.close();
    });

    test('a network that can not be reached, and a token of another network', async () => {
      const other = await Fleet.start();
      const token = await other.network.administrator.createToken();
      const foreign = other.network.administrator.issueToken({
        hints: fleet.network.descriptor.nodes.flatMap((node) => node.addresses),
      });
      await other.stop();
      const state = fleet.state('unreachable');
      await expect(enrol({ token, state })).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
      await expect(enrol({ token: foreign.text, state })).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    });

    test('goes on with two of three nodes, and at the third when it is back', async () => {
      await fleet.network.stopNode('node-3');
      const device = await fleet.join('patient');
      expect(device.status().warnings).toEqual(['the enrolment is not finished at node-3']);
      await device.close();
      await fleet.network.startNode('node-3');
      const again = await fleet.open('patient');
      await until(() => again.status().warnings.length === 0, 'the enrolment at the third node');
      expect(again.status().epochs).toEqual({ 'node-1': 1, 'node-2': 1, 'node-3': 1 });
    });

    test('given up, it goes on where it stood', async () => {
      const token = await fleet.network.administrator.createToken();
      const state = fleet.state('patience');
      await expect(enrol({ token, state, signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'ENROLMENT_ABORTED',
      });
      const device = await enrol({ token, state });
      expect(device.stage).toBe('production');
      await device.close();
    });

    test('a name or a suite that can not be is refused', async () => {
      const token = await fleet.network.administrator.createToken();
      const state = fleet.state('options');
      await expect(enrol({ token, state, name: 'x'.repeat(65) })).rejects.toMatchObject({
        code: 'BAD_OPTION',
      });
      await expect(enrol({ token, state, suite: 9 })).rejects.toMatchObject({ code: 'SUITE_FORBIDDEN' });
    });

    test('a clock that is a day off is a warning and nothing more', async () => {
      const clock = new ManualClock(Date.now() - 24 * 3_600_000);
      const ticking = setInterval(() => clock.advance(10), 10);
      try {
        const late = await fleet.join('late', { clock });
        const erin = await fleet.join('punctual');
        expect(late.status().warnings).toEqual([
          expect.stringMatching(/^the clock of this device is 86\d{3} s behind/),
        ]);
        const { ours, theirs } = await agree(late, erin);
        expect(Math.abs(Date.parse(ours.notAfter) - Date.parse(theirs.notAfter))).toBeLessThan(60_000);
        await late.close();
      } finally {
        clearInterval(ticking);
      }
    });
  });

  describe('the owner takes commands', () => {
    test('status, keys, negotiate with a file, psk, renew, forget', async () => {
      const alice = await fleet.join('owner');
      const bob = await fleet.join('owned');
      const state = fleet.state('owner');
      expect(await callOwner(state, 'status', {})).toEqual(JSON.parse(JSON.stringify(alice.status())));
      const out = join(fleet.folder, 'key.bin');
      const key = (await callOwner(state, 'negotiate', { peer: bob.id, out })) as { keyId: string };
      expect(key).not.toHaveProperty('bytes');
      expect(await readFile(out)).toEqual(Buffer.from(bob.key(key.keyId).bytes()));
      expect((await stat(out)).mode & 0o777).toBe(0o600);
      await expect(callOwner(state, 'negotiate', { peer: bob.id, out })).rejects.toMatchObject({
        code: 'FILE_EXISTS',
      });
      expect(await callOwner(state, 'keys', {})).toEqual({ keys: JSON.parse(JSON.stringify(alice.keys())) });
      const psk = join(fleet.folder, 'psk.bin');
      const { identity } = (await callOwner(state, 'psk', {
        keyId: key.keyId,
        role: 'client',
        out: psk,
      })) as {
        identity: string;
      };
      const served = await bob.exportPsk(key.keyId, 'server');
      expect(served.identity).toBe(identity);
      expect(await readFile(psk)).toEqual(Buffer.from(served.psk));
      expect(await callOwner(state, 'renew', { keyId: key.keyId })).toMatchObject({ state: 'active' });
      expect(await callOwner(state, 'ratchet', {})).toMatchObject({
        code: expect.stringMatching(/^[a-z2-7]{8}$/),
      });
      expect(await callOwner(state, 'forget', { peer: bob.id })).toEqual({});
      expect(alice.keys()).toEqual([]);
    });

    test('commands that are none are refused, and no owner is told apart', async () => {
      const state = fleet.state('owner');
      for (const [method, params] of [
        ['constructor', {}],
        ['negotiate', {}],
        ['negotiate', { peer: 7 }],
        ['psk', { keyId: 'x', role: 'both', out: 'x' }],
      ] as const) {
        await expect(callOwner(state, method, params)).rejects.toMatchObject({ code: 'BAD_COMMAND' });
      }
      await expect(callOwner(fleet.state('nobody'), 'status', {})).rejects.toMatchObject({
        code: 'NO_OWNER',
      });
      const socket = connect(join(state, 'control.sock'));
      socket.end('no json\n');
      expect(JSON.parse(await text(socket))).toMatchObject({ id: 0, error: { code: 'BAD_COMMAND' } });
    });
  });

  test('a policy that forbids a suite takes effect at once, and devices go on under another', async () => {
    const [alice, bob] = [
      await fleet.join('agile', { suite: 2 }),
      await fleet.join('agile peer', { suite: 2 }),
    ];
    expect((await agree(alice, bob)).ours.suite).toBe(2);
    const { administrator } = fleet.network;
    await administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, allowedSuites: [3] } });
    try {
      const [there, back] = await Promise.all([agree(alice, bob), agree(bob, alice)]);
      expect([there.ours.suite, back.ours.suite]).toEqual([3, 3]);
      expect((await fleet.enrol('agile later')).stage).toBe('production');
      await expect(alice.negotiate(bob.id, { suite: 2 })).rejects.toMatchObject({ code: 'SUITE_FORBIDDEN' });
      const token = await administrator.createToken();
      await expect(enrol({ token, state: fleet.state('two'), suite: 2 })).rejects.toMatchObject({
        code: 'SUITE_FORBIDDEN',
      });
    } finally {
      await administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
    }
  });

  test('a first contact is dealt to all nodes when policy says so', async () => {
    const { administrator } = fleet.network;
    const [alice, bob] = [await fleet.join('first a'), await fleet.join('first b')];
    await administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, firstContactAll: true } });
    try {
      expect((await agree(alice, bob)).ours.nodes.length).toBe(3);
      expect((await agree(alice, bob)).ours.nodes.length).toBe(2);
    } finally {
      await administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
    }
  });
});
