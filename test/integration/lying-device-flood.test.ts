import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SymmetraError } from '@symmetra/crypto';
import { encode } from '@symmetra/rpc';
import { ManualClock, NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import type { LogLine } from '@symmetra/testing';
import { FloodClient } from '../bench/flood-client.js';
import { BAD_OFFERS, OfferForge } from '../bench/flood-offers.js';
import { until } from './sdk-fleet.js';

const OFFER = '/symmetra.enrolment.v1.EnrolmentService/Offer';
const CONFIRM = '/symmetra.enrolment.v1.EnrolmentService/Confirm';
const ATTACH = '/symmetra.session.v1.SessionService/Attach';
const RELAY = '/symmetra.pairwise.v1.PairwiseService/Relay';
const LINK = '/symmetra.link.v1.LinkService/Connect';
const NODE = 'node-1';
const BURST = 1000;
const SESSIONS = 200;
const SESSIONS_OF_A_DEVICE = 4;
const MESSAGE_BYTES = 4096;

let network: NodeNetwork;
let alice: TestDevice;
let target: string;

beforeAll(async () => {
  network = await NodeNetwork.start({}, new ManualClock());
});

afterAll(async () => {
  await network.stop();
});

beforeEach(async () => {
  alice = await TestDevice.enrol(await network.administrator.createToken());
  target = alice.client(NODE).address;
  network.log.length = 0;
});

afterEach(() => {
  alice.close();
});

/** Whether the node took what happened for a failure of its own. */
const failures = (): readonly LogLine[] => network.log.filter(({ level }) => level === 'error');

const enrolHonestly = async (): Promise<void> => {
  const bob = await TestDevice.enrol(await network.administrator.createToken());
  expect(bob.epoch(NODE)).toBe(1);
  bob.close();
};

describe('a flood of bad enrolments', () => {
  test('ENR-3: is refused by tag0 and rate, stores nothing, and an honest device enrols meanwhile', async () => {
    const token = await network.administrator.createToken();
    const forge = new OfferForge(new TestDevice(alice.descriptor, token), NODE);
    const mallory = new FloodClient(target, '127.66.1.1');
    const codes = new Map<string, number>();
    const stored = await network.store(NODE).scan('claim/');
    const flood = async (): Promise<void> => {
      for (let sent = 0; sent < BURST + 200; sent += 50) {
        const batch = Array.from({ length: 50 }, async (_, i) => {
          const offer = forge.make(BAD_OFFERS[(sent + i) % BAD_OFFERS.length] ?? 'garbage');
          const request = encode('symmetra.enrolment.v1.OfferRequest', { node: '', offer });
          const code = await mallory.call(OFFER, request);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        });
        await Promise.all(batch);
      }
    };
    await Promise.all([flood(), enrolHonestly()]);
    expect(codes.get('RATE_LIMITED')).toBe(200);
    expect([...codes.keys()].filter((code) => code !== 'RATE_LIMITED')).not.toContain('OK');
    expect(codes.get('TOKEN_UNKNOWN')).toBeGreaterThan(300);
    expect(codes.get('AUTHENTICATION_FAILED')).toBeGreaterThan(300);
    // One claim more: that of the honest device.
    expect((await network.store(NODE).scan('claim/')).length).toBe(stored.length + 1);
    expect(failures()).toEqual([]);
    mallory.close();
  });

  test('ENR-6: bad confirmations are refused by their claim alone, and the true one still counts', async () => {
    const bob = await TestDevice.meet(await network.administrator.createToken());
    const confirming = await bob.offer(NODE);
    const client = bob.client(NODE);
    for (let i = 0; i < 20; i++) {
      const tag = Uint8Array.from(confirming.confirmation);
      tag.set(fresh(16), tag.length - 16);
      await expect(client.confirm({ node: '', confirmation: tag })).rejects.toMatchObject({
        code: 'AUTHENTICATION_FAILED',
      });
      const stranger = Uint8Array.from(confirming.confirmation);
      stranger.set(fresh(32), 16);
      await expect(client.confirm({ node: '', confirmation: stranger })).rejects.toMatchObject({
        code: 'RESERVATION_UNKNOWN',
      });
      const unknown = Uint8Array.from(confirming.confirmation);
      unknown.set(fresh(16), 0);
      await expect(client.confirm({ node: '', confirmation: unknown })).rejects.toMatchObject({
        code: 'TOKEN_UNKNOWN',
      });
    }
    await bob.confirm(NODE, confirming);
    bob.close();
  });
});

describe('a device that takes more than its share', () => {
  test('opens many sessions: all but its newest are lost, and others keep theirs', async () => {
    const bob = await TestDevice.enrol(await network.administrator.createToken());
    await bob.openSession(NODE);
    const opened = [];
    for (let i = 0; i < SESSIONS; i++) opened.push(await alice.openSession(NODE));
    const outcomes = [];
    for (const session of opened.slice(-2 * SESSIONS_OF_A_DEVICE)) {
      alice.sessions.set(NODE, session);
      outcomes.push(
        await alice.attach(NODE, NODE).then(
          () => 'OK',
          (error: unknown) => (error as SymmetraError).code,
        ),
      );
    }
    expect(outcomes).toEqual([...Array(4).fill('SESSION_LOST'), ...Array(4).fill('OK')]);
    await bob.attach(NODE, NODE);
    bob.close();
  });

  test('never reads its link: the link ends with LINK_OVERFLOW, and others are served', async () => {
    const mallory = new DeafLink(target);
    const session = await alice.openSession(NODE);
    const request = encode('symmetra.session.v1.AttachRequest', { home: NODE, addresses: [], lastEvent: 0 });
    const sealed = { session: session.sessionId, ...session.seal(ATTACH, request), node: '' };
    mallory.send(encode('symmetra.link.v1.ConnectRequest', { calls: [{ id: 1, method: ATTACH, sealed }] }));
    const bob = await TestDevice.enrol(await network.administrator.createToken());
    await bob.connect(NODE);
    const relay = async (): Promise<boolean> => {
      const { handedOver } = await bob.call(NODE, RELAY, {
        peer: alice.deviceId,
        message: fresh(MESSAGE_BYTES),
      });
      return handedOver;
    };
    let taken = false;
    for (let turn = 0; turn < 100 && !taken; turn++) taken = await relay();
    expect(taken).toBe(true);
    let messages = 0;
    for (; messages < 3000 && taken; messages++) taken = await relay();
    // 4 MiB wait at the node; what else went is in the buffers of the two systems.
    expect(taken).toBe(false);
    expect(messages).toBeGreaterThan((4 * 2 ** 20) / (2 * MESSAGE_BYTES));
    await bob.attach(NODE, NODE, 0);
    expect(await mallory.hearOut()).toBe('LINK_OVERFLOW');
    expect(failures()).toEqual([]);
    mallory.close();
    bob.close();
  });
});

describe('messages that are none', () => {
  test('too long, cut or made of nothing: each has its code, and the node goes on', async () => {
    const mallory = new FloodClient(target, '127.66.2.1');
    const offer = (bytes: number): Uint8Array =>
      encode('symmetra.enrolment.v1.OfferRequest', { node: '', offer: fresh(bytes) });
    expect(await mallory.call(OFFER, offer(9000))).toBe('MESSAGE_TOO_LARGE');
    // gRPC itself, before any of ours: RESOURCE_EXHAUSTED.
    expect(await mallory.call(OFFER, offer(400_000))).toBe('status 8');
    expect(await mallory.call(OFFER, Uint8Array.of(0x0a, 0xff))).toBe('BAD_MESSAGE');
    expect(await mallory.call(OFFER, new Uint8Array(0))).toBe('BAD_ENCODING');
    expect(await mallory.call(CONFIRM, new Uint8Array(0))).toBe('BAD_ENCODING');
    mallory.close();
    await enrolHonestly();
    expect(failures()).toEqual([]);
  });

  test('a sealed call that was cut does not verify, and harms the session no further', async () => {
    const session = await alice.openSession(NODE);
    const request = encode('symmetra.session.v1.AttachRequest', { home: NODE, addresses: [], lastEvent: 0 });
    const whole = session.seal(ATTACH, request);
    for (const length of [0, 1, 15, 16, whole.ciphertext.length - 1]) {
      const cut = {
        session: session.sessionId,
        seq: whole.seq,
        ciphertext: whole.ciphertext.slice(0, length),
      };
      await expect(alice.client(NODE).sealed(ATTACH, { ...cut, node: '' })).rejects.toMatchObject({
        code: 'AUTHENTICATION_FAILED',
      });
    }
    await alice.client(NODE).sealed(ATTACH, { session: session.sessionId, ...whole, node: '' });
  });

  test('a stream that ends in the middle of a message, and bytes that are no HTTP/2', async () => {
    for (const cut of ['end', 'destroy'] as const) {
      const half = new DeafLink(target);
      half.sendHalf(1000);
      half.stop(cut);
      half.close();
    }
    const [host = '', port = ''] = target.split(':');
    for (const garbage of [fresh(4096), Buffer.from('GET / HTTP/1.1\r\n\r\n'), fresh(1)]) {
      const socket = connect({ host, port: Number(port) });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.end(garbage);
      socket.resume();
      await until(() => socket.closed, 'the end of the connection');
    }
    await enrolHonestly();
    expect(failures()).toEqual([]);
  });
});

/** A link whose owner does not read what comes, over bare HTTP/2. */
class DeafLink {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #code: Promise<string>;

  constructor(address: string) {
    this.#session = connectHttp2(`http://${address}`);
    this.#session.on('error', () => undefined);
    this.#stream = this.#session.request({
      ':method': 'POST',
      ':path': LINK,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#stream.on('error', () => undefined);
    this.#stream.pause();
    this.#code = new Promise((resolve) => {
      this.#stream.on('trailers', (headers: IncomingHttpHeaders) => {
        resolve(String(headers['symmetra-code']));
      });
    });
  }

  send(message: Uint8Array): void {
    const header = Buffer.alloc(5);
    header.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([header, message]));
  }

  /** Announces a message, and sends its first ten bytes. */
  sendHalf(length: number): void {
    const header = Buffer.alloc(5);
    header.writeUInt32BE(length, 1);
    this.#stream.write(Buffer.concat([header, fresh(10)]));
  }

  stop(how: 'end' | 'destroy'): void {
    this.#stream[how]();
  }

  /** Reads to the end. @returns the code by which the link ended */
  async hearOut(): Promise<string> {
    this.#stream.resume();
    return this.#code;
  }

  close(): void {
    this.#session.close();
  }
}
