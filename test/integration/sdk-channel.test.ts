import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiveFile, sendFile } from '@symmetra/sdk';
import type { Device, Endpoint, SecureChannel } from '@symmetra/sdk';
import { Fleet, agree, next, until } from './sdk-fleet.js';

const SECOND = 1000;

describe('secure channels', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let port: Endpoint;

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice');
    bob = await fleet.enrol('bob');
    port = await bob.listen();
    await bob.connect();
  });

  afterAll(async () => {
    await fleet.stop();
  });

  /** A channel from Alice, and Bob's end of it. */
  const openPair = async (keyId?: string): Promise<readonly [SecureChannel, SecureChannel]> => {
    const accepted = next(bob, 'channel');
    const channel = await alice.openChannel(bob.id, keyId === undefined ? {} : { keyId });
    return [channel, await accepted];
  };

  test('carries bytes both ways, under a key that is agreed on when there is none', async () => {
    const [ours, theirs] = await openPair();
    expect(theirs).toMatchObject({ peer: alice.id, role: 'server', keyId: ours.keyId });
    expect(alice.key(ours.keyId).fingerprint).toBe(bob.key(theirs.keyId).fingerprint);
    ours.end('ping');
    theirs.end('pong');
    expect(await Promise.all([text(ours), text(theirs)])).toEqual(['pong', 'ping']);
  });

  test('carries megabytes', async () => {
    const bytes = randomBytes(5 * 1024 * 1024 + 17);
    const [ours, theirs] = await openPair();
    const hash = createHash('sha256');
    theirs.on('data', (chunk: Buffer) => hash.update(chunk));
    const ended = new Promise((resolve) => {
      theirs.once('end', resolve);
    });
    ours.end(bytes);
    theirs.end();
    ours.resume();
    await ended;
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('the responder of a key can open a channel too', async () => {
    await alice.listen();
    const { ours } = await agree(alice, bob, { purpose: 'back' });
    const accepted = next(alice, 'channel');
    const channel = await bob.openChannel(alice.id, { keyId: ours.keyId });
    channel.end('from the responder');
    const theirs = await accepted;
    theirs.end();
    channel.resume();
    expect(await text(theirs)).toBe('from the responder');
  });

  test('CHN-5: moves to the renewed key without losing a byte, in both directions', async () => {
    const { ours: key } = await agree(alice, bob, { purpose: 'moving' });
    const [ours, theirs] = await openPair(key.keyId);
    const received = [createHash('sha256'), createHash('sha256')] as const;
    const sent = [createHash('sha256'), createHash('sha256')] as const;
    ours.on('data', (chunk: Buffer) => received[0].update(chunk));
    theirs.on('data', (chunk: Buffer) => received[1].update(chunk));
    const stop = new AbortController();
    const talk = async (channel: SecureChannel, hash: (typeof sent)[0]): Promise<void> => {
      while (!stop.signal.aborted) {
        const chunk = randomBytes(40_000);
        hash.update(chunk);
        await new Promise<void>((resolve, reject) => {
          channel.write(chunk, (error) => (error ? reject(error) : resolve()));
        });
      }
      channel.end();
    };
    const talking = Promise.all([talk(ours, sent[1]), talk(theirs, sent[0])]);
    const renewed = await alice.renew(key.keyId);
    await until(() => ours.keyId === renewed.keyId && theirs.keyId === renewed.keyId, 'the channel moved');
    await until(() => !ours.isMoving && !theirs.isMoving, 'the move came to its end');
    stop.abort();
    await talking;
    await until(() => ours.readableEnded && theirs.readableEnded, 'both ends');
    expect(received.map((hash) => hash.digest('hex'))).toEqual(sent.map((hash) => hash.digest('hex')));
  });

  test('moves as well when the one who renews is the TLS server', async () => {
    const { ours: key } = await agree(bob, alice, { purpose: 'moving back' });
    const [ours, theirs] = await openPair(key.keyId);
    const renewed = await bob.renew(key.keyId);
    await until(() => ours.keyId === renewed.keyId && !ours.isMoving, 'the channel moved');
    ours.end('after');
    theirs.end();
    ours.resume();
    expect(await text(theirs)).toBe('after');
  });

  test('a channel that nobody takes, and an address that nobody has', async () => {
    const { ours: key } = await agree(alice, bob);
    const channel = await alice.openChannel(bob.id, { keyId: key.keyId });
    channel.resume();
    await expect(
      new Promise((_, reject) => {
        channel.once('error', reject);
      }),
    ).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
    await expect(
      alice.openChannel(bob.id, { keyId: key.keyId, address: '127.0.0.1:1' }),
    ).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await expect(alice.openChannel(alice.id, { keyId: key.keyId })).rejects.toMatchObject({
      code: 'KEY_UNKNOWN',
    });
  });

  /** A TLS client outside the SDK. @returns the protocol, or the code of the failure */
  const tlsClient = async (identity: string, psk: Uint8Array, options: object = {}): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({
        host: port.host,
        port: port.port,
        minVersion: 'TLSv1.3',
        ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ identity, psk }),
        ...options,
      });
      socket.once('secureConnect', () => {
        // No frame of a channel: the server gives up when it has read it.
        socket.write(Buffer.alloc(16, 0xff));
        socket.once('close', () => resolve('closed'));
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    });

  test('CHN-2: an unknown identity, a spent one and a wrong key fail alike', async () => {
    const { ours: key } = await agree(alice, bob);
    const good = await alice.exportPsk(key.keyId, 'client');
    const spent = await alice.exportPsk(key.keyId, 'client');
    expect(good.identity).not.toBe(spent.identity);
    expect(await tlsClient(spent.identity, spent.psk)).toBe('closed');
    const failures = await Promise.all([
      tlsClient(spent.identity, spent.psk),
      tlsClient('0'.repeat(32), good.psk),
      tlsClient(good.identity, randomBytes(32)),
    ]);
    expect(new Set(failures).size).toBe(1);
    expect(failures[0]).toMatch(/ALERT|SSL/);
    expect(await tlsClient(good.identity, good.psk)).toBe('closed');
  });

  test('both ends export the same PSKs, each once', async () => {
    const { ours: key } = await agree(alice, bob);
    for (let turn = 0; turn < 3; turn++) {
      const client = await alice.exportPsk(key.keyId, 'client');
      const server = await bob.exportPsk(key.keyId, 'server');
      expect(server).toEqual(client);
      expect(client.psk.length).toBe(32);
    }
  });

  test('CHN-3: TLS 1.2, other ciphers and no PSK at all are refused', async () => {
    const { ours: key } = await agree(alice, bob);
    const { identity, psk } = await alice.exportPsk(key.keyId, 'client');
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'PSK-CHACHA20-POLY1305' };
    expect(await tlsClient(identity, psk, old)).toMatch(/ALERT|SSL|PROTOCOL|CIPHER/);
    expect(await tlsClient(identity, psk, { ciphers: 'TLS_AES_128_GCM_SHA256' })).toMatch(/ALERT|SSL|CIPHER/);
    expect(await tlsClient(identity, psk, { pskCallback: undefined })).toMatch(/ALERT|SSL|CERT|ECONNRESET/);
  });

  test('a connection that is neither TLS nor a direct frame is closed', async () => {
    const socket = connect(port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(await text(socket)).toBe('');
  });

  test('a file is sent, compared and never written over another', async () => {
    const inbox = fleet.state('inbox');
    await mkdir(inbox);
    const file = join(fleet.folder, 'report.bin');
    await writeFile(file, randomBytes(300_000));
    const received: unknown[] = [];
    bob.on('channel', (channel) => {
      receiveFile(channel, inbox).then(
        (arrived) => received.push(arrived),
        (error: unknown) => received.push(error),
      );
    });
    const header = await sendFile(await alice.openChannel(bob.id), file);
    expect(header).toMatchObject({ name: 'report.bin', size: 300_000 });
    expect(received).toEqual([{ ...header, path: join(inbox, 'report.bin') }]);
    expect(await readFile(join(inbox, 'report.bin'))).toEqual(await readFile(file));
    await expect(sendFile(await alice.openChannel(bob.id), file)).rejects.toMatchObject({
      code: 'FILE_REFUSED',
      details: { reason: 'FILE_EXISTS' },
    });
    await expect(sendFile(await alice.openChannel(bob.id), fleet.folder)).rejects.toMatchObject({
      code: 'NOT_A_FILE',
    });
    bob.removeAllListeners('channel');
  });

  test('a channel whose key can not be renewed is closed when its time is over', async () => {
    const { ours: key } = await agree(alice, bob, { lifetime: 2 * SECOND, uses: 1 });
    const [ours, theirs] = await openPair(key.keyId);
    await Promise.all(['node-1', 'node-2', 'node-3'].map(async (id) => fleet.network.stopNode(id)));
    const failed = [ours, theirs].map(
      async (channel) =>
        new Promise((resolve) => {
          channel.once('error', resolve);
        }),
    );
    ours.resume();
    theirs.resume();
    const errors = await Promise.all(failed);
    expect(errors).toContainEqual(expect.objectContaining({ code: 'KEY_EXPIRED' }));
  });
});
