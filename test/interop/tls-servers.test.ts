import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Device, ExportedPsk } from '@symmetra/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fleet, agree } from '../integration/sdk-fleet.js';
import { END, OPEN_HEAD, READY, data } from './channel-talk.js';
import { isInstalled, opensslServer, writePskSession } from './tls-programs.js';
import type { TlsProgram } from './tls-programs.js';

describe('openssl s_server as the peer of a device', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let keyId: string;
  let sessions = 0;
  const running: TlsProgram[] = [];

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice');
    bob = await fleet.join('bob', { listen: true });
    keyId = (await agree(alice, bob)).ours.keyId;
  });

  beforeEach((context) => {
    context.skip(!isInstalled('openssl'), 'openssl is not installed');
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map(async (program) => program.stop()));
  });

  afterAll(async () => {
    await fleet.stop();
  });

  /** A server that holds a PSK, and where it listens. */
  const serve = async ({ identity, psk }: ExportedPsk, ...more: string[]): Promise<[TlsProgram, string]> => {
    const file = join(fleet.folder, `session-${++sessions}.pem`);
    await writePskSession(file, psk);
    const program = opensslServer(file, identity, ...more);
    running.push(program);
    return [program, `127.0.0.1:${await program.port()}`];
  };

  /** The PSK of Alice's next connection to Bob. */
  const nextPsk = async (): Promise<ExportedPsk> => bob.exportPsk(keyId, 'server');

  test('CHN-3, CHN-5: completes TLS 1.3 under a negotiated key and talks in a channel', async () => {
    const [program, address] = await serve(await nextPsk(), '-tls1_3');
    const opening = alice.openChannel(bob.id, { keyId, address });
    await program.printed(OPEN_HEAD);
    program.send(READY);
    const channel = await opening;
    channel.end('from Alice');
    await program.printed(data('from Alice'));
    await program.printed(END);
    program.send(data('from a stranger'));
    program.send(END);
    expect(await text(channel)).toBe('from a stranger');
    expect(await program.finish()).toMatch(/CIPHER is TLS_CHACHA20_POLY1305_SHA256/);
  });

  test('CHN-3: a server with a wrong key, an unknown identity, an old version or another suite', async () => {
    const refusals: unknown[] = [];
    for (const [change, ...more] of [
      [{ psk: randomBytes(32) }, '-tls1_3'],
      [{ identity: '0'.repeat(32) }, '-tls1_3'],
      [{}, '-tls1_2'],
      [{}, '-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256'],
    ] as const) {
      const [, address] = await serve({ ...(await nextPsk()), ...change }, ...more);
      refusals.push(await alice.openChannel(bob.id, { keyId, address }).catch((error: unknown) => error));
    }
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'CHANNEL_REFUSED' });
    expect(refusals).toHaveLength(4);
  });
});
