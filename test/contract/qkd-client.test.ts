import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { qkdClient } from '@symmetra/bus';
import type { QkdSource } from '@symmetra/bus';
import { systemClock } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { TestAuthority } from './test-authority.js';
import type { Credential } from './test-authority.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const NEVER = 60_000;

type Answer = (request: { path: string; body: string }) => { status?: number; body: string } | undefined;

const servers: Server[] = [];

/** A stand-in for a KME; with a credential it takes only who shows a certificate of the authority. */
async function kme(
  answer: Answer,
  tls?: { authority: TestAuthority; credential: Credential },
): Promise<string> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      const given = answer({ path: request.url ?? '', body });
      if (given !== undefined) response.writeHead(given.status ?? 200).end(given.body);
    });
  };
  const server =
    tls === undefined
      ? createServer(handle)
      : createTlsServer(
          { ...tls.credential, ca: tls.authority.cert, requestCert: true, rejectUnauthorized: true },
          handle,
        );
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
}

function client(url: string): QkdSource {
  return qkdClient({ url, peerSaeId: 'node 2', required: true, clock: systemClock, timeoutMs: NEVER });
}

const container = (keyId: string, key: string): string =>
  JSON.stringify({ keys: [{ key_ID: keyId, key }], key_container_extension: {} });

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('a client of ETSI GS QKD 014', () => {
  it('gets a new key with its name, and the key of a name', async () => {
    const asked: string[] = [];
    const url = await kme(({ path, body }) => {
      asked.push(`${path} ${body}`);
      return { body: container('id-1', KEY) };
    });
    const source = client(url);
    expect(source.required).toBe(true);
    expect(await source.newKey()).toEqual({ keyId: 'id-1', key: new Uint8Array(32).fill(7) });
    expect(await source.keyOf('id-1')).toEqual(new Uint8Array(32).fill(7));
    expect(asked).toEqual([
      '/api/v1/keys/node%202/enc_keys {"number":1,"size":256}',
      '/api/v1/keys/node%202/dec_keys {"key_IDs":[{"key_ID":"id-1"}]}',
    ]);
  });

  it.each([
    ['no JSON', 'junk'],
    ['no container', 'null'],
    ['no keys', '{"keys":[]}'],
    ['a key without a name', JSON.stringify({ keys: [{ key: KEY }] })],
    ['a name with a space', container('id 1', KEY)],
    ['a name that is too long', container('i'.repeat(129), KEY)],
    ['a key of 128 bits', container('id-1', Buffer.alloc(16).toString('base64'))],
    ['a key that is no base64', container('id-1', '*'.repeat(44))],
    ['too much', 'x'.repeat(70_000)],
  ])('refuses %s', async (_name, body) => {
    const source = client(await kme(() => ({ body })));
    await expect(source.newKey()).rejects.toMatchObject({ code: 'QKD_BAD_ANSWER' });
  });

  it('refuses another key than the one of the name', async () => {
    const source = client(await kme(() => ({ body: container('id-2', KEY) })));
    await expect(source.keyOf('id-1')).rejects.toMatchObject({ code: 'QKD_BAD_ANSWER' });
  });

  it('says that the KME refused, is not there, or did not answer in time', async () => {
    const refusing = client(await kme(() => ({ status: 503, body: '{"message":"none"}' })));
    await expect(refusing.newKey()).rejects.toMatchObject({
      code: 'QKD_UNAVAILABLE',
      details: { status: 503 },
    });
    await expect(client('http://127.0.0.1:1').newKey()).rejects.toMatchObject({ code: 'QKD_UNAVAILABLE' });
    const clock = new ManualClock();
    const url = await kme(() => {
      setImmediate(() => clock.advance(2000));
      return undefined;
    });
    const silent = qkdClient({ url, peerSaeId: 'n2', required: false, clock, timeoutMs: 2000 });
    await expect(silent.newKey()).rejects.toMatchObject({ code: 'QKD_UNAVAILABLE' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('shows its certificate, and speaks to no KME of another authority', async () => {
    const authority = new TestAuthority('Authority of Alice');
    const credential = authority.issue('kme.test');
    const url = await kme(() => ({ body: container('id-1', KEY) }), { authority, credential });
    const over = (tls: object): QkdSource =>
      qkdClient({ url, peerSaeId: 'n2', required: true, clock: systemClock, timeoutMs: NEVER, tls });
    const own = authority.issue('node.test');
    expect((await over({ ca: authority.cert, ...own }).newKey()).keyId).toBe('id-1');
    const unavailable = { code: 'QKD_UNAVAILABLE' };
    await expect(over({ ca: authority.cert }).newKey()).rejects.toMatchObject(unavailable);
    await expect(over(own).newKey()).rejects.toMatchObject(unavailable);
    const other = new TestAuthority('Authority of Mallory');
    await expect(over({ ca: other.cert, ...own }).newKey()).rejects.toMatchObject(unavailable);
  });

  it('speaks over https, but for a KME on this machine', () => {
    expect(() => client('http://kme.example:80')).toThrow(
      expect.objectContaining({ code: 'QKD_UNAVAILABLE' }),
    );
  });
});
