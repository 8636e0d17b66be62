import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Device, ExportedPsk } from '@symmetra/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fleet, agree, next } from '../integration/sdk-fleet.js';
import { END, READY, data, open } from './channel-talk.js';
import { Recorder } from './recorder.js';
import { gnutlsClient, isInstalled, opensslClient, opensslPlain, writePskSession } from './tls-programs.js';
import type { TlsProgram } from './tls-programs.js';

/** The whole answer of a server that refuses: one record, a fatal alert, illegal_parameter. */
const REFUSAL = '1503030002022f';

/** The whole answer of a server that ends a handshake before its first message. */
const FATAL_ALERT = /^150303000202[0-9a-f]{2}$/;

/** How a program connects. */
type Connect = (port: number, psk: ExportedPsk) => Promise<TlsProgram>;

describe('TLS clients of others at the port of a device', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let keyId: string;
  let recorder: Recorder;
  let sessions = 0;

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice');
    bob = await fleet.enrol('bob');
    const { port } = await bob.listen();
    await bob.connect();
    keyId = (await agree(alice, bob)).ours.keyId;
    recorder = await Recorder.start(port);
  });

  afterAll(async () => {
    await recorder.stop();
    await fleet.stop();
  });

  /** The next one-time PSK of Alice as the TLS client. */
  const nextPsk = async (): Promise<ExportedPsk> => alice.exportPsk(keyId, 'client');

  const session = async (psk: Uint8Array, earlyData = false): Promise<string> => {
    const file = join(fleet.folder, `session-${++sessions}.pem`);
    await writePskSession(file, psk, earlyData);
    return file;
  };

  const openssl = async (
    port: number,
    { identity, psk }: ExportedPsk,
    ...more: string[]
  ): Promise<TlsProgram> => opensslClient(port, await session(psk), identity, ...more);

  /** Opens a channel to Bob through a program, and says something in both directions. */
  const talk = async (program: TlsProgram): Promise<string> => {
    const arrived = next(bob, 'channel');
    program.send(open(randomBytes(16)));
    await program.printed(READY);
    const channel = await arrived;
    expect(channel).toMatchObject({ peer: alice.id, role: 'server', keyId });
    const heard = text(channel);
    program.send(data('from a stranger'));
    program.send(END);
    channel.end('from Bob');
    await program.printed(data('from Bob'));
    expect(await heard).toBe('from a stranger');
    return program.finish();
  };

  describe.each<{ program: string; connect: Connect; accepted: RegExp }>([
    {
      program: 'openssl',
      connect: openssl,
      accepted: /Reused, TLSv1\.3, Cipher is TLS_CHACHA20_POLY1305_SHA256/,
    },
    {
      program: 'gnutls-cli',
      connect: async (port, psk) => gnutlsClient(port, psk),
      accepted: /TLS1\.3.*CHACHA20-POLY1305[^]*PSK authentication/,
    },
  ])('$program', ({ program, connect, accepted }) => {
    beforeEach((context) => {
      context.skip(!isInstalled(program), `${program} is not installed`);
    });

    test('CHN-3, CHN-5: completes TLS 1.3 under a negotiated key and talks in a channel', async () => {
      expect(await talk(await connect(recorder.port, await nextPsk()))).toMatch(accepted);
    });

    test('CHN-2: a spent identity, an unknown one and a wrong key get the same bytes', async () => {
      const good = await nextPsk();
      const spent = await nextPsk();
      await talk(await connect(recorder.port, spent));
      recorder.take();
      for (const refused of [
        spent,
        { identity: '0'.repeat(32), psk: good.psk },
        { identity: good.identity, psk: randomBytes(32) },
      ]) {
        await (await connect(recorder.port, refused)).finish();
      }
      expect(recorder.take()).toEqual([REFUSAL, REFUSAL, REFUSAL]);
      // Whoever failed has spent nothing of the one who has the key.
      await talk(await connect(recorder.port, good));
    });
  });

  describe('openssl and what CHN-3 leaves out', () => {
    beforeEach((context) => {
      context.skip(!isInstalled('openssl'), 'openssl is not installed');
    });

    test('the exchange is psk_dhe_ke with an ephemeral key, also when the client offers psk_ke', async () => {
      const program = await openssl(recorder.port, await nextPsk(), '-allow_no_dhe_kex');
      expect(await talk(program)).toMatch(/Server Temp Key: X25519/);
    });

    test('early data is rejected', async () => {
      const early = join(fleet.folder, 'early');
      await writeFile(early, 'early');
      const { identity, psk } = await nextPsk();
      const file = await session(psk, true);
      const program = opensslClient(recorder.port, file, identity, '-early_data', early);
      expect(await talk(program)).toMatch(/Early data was rejected/);
    });

    test('nothing that a connection leaves behind resumes it', async () => {
      const kept = join(fleet.folder, 'kept.pem');
      await talk(await openssl(recorder.port, await nextPsk(), '-sess_out', kept));
      recorder.take();
      // Node has no means to have OpenSSL send no ticket at all; the device takes none.
      if (existsSync(kept)) {
        expect(await opensslPlain(recorder.port, '-tls1_3', '-sess_in', kept).finish()).toMatch(
          /SSL alert number (?:40|47)/,
        );
      }
      for (const answer of recorder.take()) expect(answer).toMatch(FATAL_ALERT);
    });

    test.each([
      { name: 'TLS 1.2', args: ['-tls1_2'], alert: /alert number 70/ },
      { name: 'no PSK', args: ['-tls1_3'], alert: /alert number 40/ },
    ])('$name is refused', async ({ args, alert }) => {
      expect(await opensslPlain(recorder.port, ...args).finish()).toMatch(alert);
    });

    test('another cipher suite is refused, under the right key', async () => {
      const { identity, psk } = await nextPsk();
      const args = ['-psk_session', await session(psk), '-psk_identity', identity];
      const other = ['-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384'];
      expect(await opensslPlain(recorder.port, ...args, ...other).finish()).toMatch(/alert number 40/);
    });
  });

  test('gnutls-cli without an ephemeral exchange is refused, under the right key', async (context) => {
    context.skip(!isInstalled('gnutls-cli'), 'gnutls-cli is not installed');
    const said = await gnutlsClient(recorder.port, await nextPsk(), 'PSK').finish();
    expect(said).toMatch(/Received alert \[40\]: Handshake failed/);
  });
});
