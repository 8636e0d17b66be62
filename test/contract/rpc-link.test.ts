import type { SymmetraError } from '@symmetra/crypto';
import {
  MAX_FRAME_BYTES,
  decode,
  encode,
  encodeBroadcast,
  encodeGroupMessage,
  methodPolicy,
} from '@symmetra/rpc';
import type { ClientLink, LinkCall, LinkStream, Message } from '@symmetra/rpc';
import { ManualClock } from '@symmetra/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcWorld, framed, until } from './rpc-fixture.js';

const CONNECT = '/symmetra.link.v1.LinkService/Connect';
const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
const ACKNOWLEDGE = '/symmetra.pairwise.v1.PairwiseService/Acknowledge';
const CLOSE = '/symmetra.session.v1.SessionService/Close';
const SESSION = new Uint8Array(16).fill(7);

type Reply = Message<'symmetra.link.v1.Reply'>;
type CloseReason = SymmetraError | undefined;

const worlds: RpcWorld[] = [];

async function start(...parameters: Parameters<typeof RpcWorld.start>): Promise<RpcWorld> {
  const world = await RpcWorld.start(...parameters);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const callOf = (id: number, method = NEGOTIATE): LinkCall => ({
  id,
  method,
  sealed: { session: SESSION, seq: id, ciphertext: new Uint8Array(100).fill(id) },
});

/** The node's ends of all links, with why they closed. */
class NodeEnds {
  readonly streams: LinkStream[] = [];
  readonly frames: number[] = [];
  readonly callIds: number[] = [];
  readonly reasons: CloseReason[] = [];
  readonly #answer: (stream: LinkStream, id: number) => void;

  constructor(answer: (stream: LinkStream, id: number) => void) {
    this.#answer = answer;
  }

  readonly accept = (stream: LinkStream): void => {
    this.streams.push(stream);
    stream.onClose((reason) => this.reasons.push(reason));
    stream.onFrame((frame) => {
      this.frames.push(frame.calls.length);
      for (const call of frame.calls) {
        this.callIds.push(call.id);
        this.#answer(stream, call.id);
      }
    });
  };
}

const echo = (stream: LinkStream, id: number): void => {
  stream.sendReply({ id, sealed: { session: SESSION, seq: id } });
};
const silent = (): void => undefined;

/** What a device received on a link. */
class DeviceEnd {
  readonly replies: Reply[] = [];
  readonly events: string[] = [];
  readonly frames: number[] = [];
  readonly reasons: CloseReason[] = [];

  constructor(link: ClientLink) {
    link.onFrame((frame) => {
      this.frames.push(frame.replies.length + frame.events.length);
      this.replies.push(...frame.replies);
      this.events.push(...frame.events.map((event) => event.node));
    });
    link.onClose((reason) => this.reasons.push(reason));
  }
}

describe('a link', () => {
  it('carries calls of one turn in few frames, and their replies too, in order', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    const ids = Array.from({ length: 64 }, (_, index) => index + 1);
    for (const id of ids) expect(link.send(callOf(id))).toBe(true);
    await until(() => device.replies.length === 64);
    expect(node.callIds).toEqual(ids);
    expect(device.replies.map((reply) => reply.id)).toEqual(ids);
    expect(device.replies.every((reply) => reply.outcome === 'sealed')).toBe(true);
    expect(node.frames.length).toBeLessThanOrEqual(4);
    expect(device.frames.length).toBeLessThanOrEqual(8);
  });

  it('carries events that nobody asked for', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    await until(() => node.streams.length === 1);
    for (const name of ['n1', 'n2', 'n3']) {
      expect(node.streams[0]?.sendEvent({ node: name, sealed: {} })).toBe(true);
    }
    await until(() => device.events.length === 3);
    expect(device.events).toEqual(['n1', 'n2', 'n3']);
  });

  it('GRP-7, GRP-12: carries broadcasts and group messages that were encoded once, beside events', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    const frames: Message<'symmetra.link.v1.ConnectResponse'>[] = [];
    world
      .client()
      .connectLink()
      .onFrame((frame) => frames.push(frame));
    await until(() => node.streams.length === 1);
    const [stream] = node.streams;
    const content = new Uint8Array(60_000).fill(1);
    const signature = new Uint8Array(3309).fill(2);
    expect(stream?.sendEncoded(encodeBroadcast({ content, signature }))).toBe(true);
    expect(stream?.sendEvent({ node: 'n1', sealed: {} })).toBe(true);
    expect(stream?.sendEncoded(encodeGroupMessage(Uint8Array.of(3)))).toBe(true);
    await until(() => frames.some(({ groupMessages }) => groupMessages.length > 0));
    const broadcasts = frames.flatMap((frame) => frame.broadcasts);
    expect(broadcasts).toHaveLength(1);
    expect(broadcasts[0]?.content.equals(content)).toBe(true);
    expect(broadcasts[0]?.signature.equals(signature)).toBe(true);
    expect(frames.flatMap((frame) => frame.events).map((event) => event.node)).toEqual(['n1']);
    expect(frames.flatMap((frame) => frame.groupMessages)).toEqual([Buffer.of(3)]);
  });

  it('that the device closes has delivered what was sent before', async () => {
    const node = new NodeEnds(silent);
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1));
    link.close();
    await until(() => node.reasons.length === 1);
    expect(node.callIds).toEqual([1]);
    expect(node.reasons).toEqual([undefined]);
    expect(device.reasons).toEqual([undefined]);
    expect(link.send(callOf(2))).toBe(false);
  });

  it('that the node closes has delivered what was sent before', async () => {
    const node = new NodeEnds((stream, id) => {
      echo(stream, id);
      stream.close();
      expect(stream.sendEvent({ node: 'n1' })).toBe(false);
    });
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1));
    await until(() => device.reasons.length === 1);
    expect(device.replies.map((reply) => reply.id)).toEqual([1]);
    expect(device.reasons).toEqual([undefined]);
  });

  it('that the node closes for a reason tells it to the device', async () => {
    const node = new NodeEnds((stream) => stream.close('DEVICE_REVOKED', 'the device was revoked'));
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1));
    await until(() => device.reasons.length === 1);
    expect(device.reasons[0]).toMatchObject({ code: 'DEVICE_REVOKED', message: 'the device was revoked' });
    expect(node.reasons[0]).toMatchObject({ code: 'DEVICE_REVOKED' });
  });

  it('whose device goes away without a word is closed at the node', async () => {
    const node = new NodeEnds(silent);
    const world = await start({ link: node.accept });
    const stranger = world.stranger();
    stranger.open(CONNECT);
    await until(() => node.streams.length === 1);
    stranger.close();
    await until(() => node.reasons.length === 1);
    expect(node.reasons[0]).toMatchObject({ code: 'TRANSPORT_FAILED' });
  });

  it('to a node that is not there closes with NODE_UNREACHABLE', async () => {
    const world = await start({});
    const client = world.client();
    await world.server.stop(0);
    const device = new DeviceEnd(client.connectLink());
    await until(() => device.reasons.length === 1);
    expect(device.reasons[0]).toMatchObject({ code: 'NODE_UNREACHABLE' });
  });

  it('is closed with NODE_STOPPING when the node stops, which does not wait for it', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept }, { clock: new ManualClock() });
    const device = new DeviceEnd(world.client().connectLink());
    await until(() => node.streams.length === 1);
    await world.server.stop(1000);
    await until(() => device.reasons.length === 1);
    expect(device.reasons[0]).toMatchObject({ code: 'NODE_STOPPING' });
  });

  it('whose handler fails is closed with INTERNAL', async () => {
    const node = new NodeEnds(() => {
      throw new Error('inner');
    });
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1));
    await until(() => device.reasons.length === 1);
    expect(device.reasons[0]).toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('inner'),
    });
    expect(world.logs.map((line) => line.message)).toContain('A link failed.');
  });
});

describe('a call on a link', () => {
  it('passes the method table; refused ones are answered and do not disturb the others', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1, '/symmetra.session.v1.SessionService/Steal'));
    link.send(callOf(2, '/symmetra.enrolment.v1.EnrolmentService/Offer'));
    link.send({ id: 3, method: NEGOTIATE });
    const ciphertext = new Uint8Array(methodPolicy(CLOSE).maxBytes);
    link.send({ id: 4, method: CLOSE, sealed: { session: SESSION, ciphertext } });
    link.send(callOf(5));
    await until(() => device.replies.length === 5);
    expect(node.callIds).toEqual([5]);
    const outcomes = device.replies.map((reply) => [reply.id, reply.transportError ?? reply.outcome]);
    expect(outcomes).toEqual([
      [1, 'METHOD_NOT_ALLOWED'],
      [2, 'METHOD_NOT_ALLOWED'],
      [3, 'BAD_MESSAGE'],
      [4, 'MESSAGE_TOO_LARGE'],
      [5, 'sealed'],
    ]);
  });

  it('passes the rates', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept }, { clock: new ManualClock() });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    const { burst } = methodPolicy(CLOSE).rate;
    for (let id = 1; id <= burst + 1; id++) link.send(callOf(id, CLOSE));
    await until(() => device.replies.length === burst + 1);
    expect(node.callIds).toHaveLength(burst);
    expect(device.replies.filter((reply) => reply.transportError === 'RATE_LIMITED')).toHaveLength(1);
  });

  it('is audited when it is answered', async () => {
    const node = new NodeEnds((stream, id) => {
      if (id === 1) echo(stream, id);
      else stream.sendReply({ id, transportError: 'SESSION_LOST' });
    });
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1));
    link.send(callOf(2));
    link.send(callOf(3, ACKNOWLEDGE));
    await until(() => device.replies.length === 3);
    expect(world.audits.map(({ method, code }) => [method, code])).toEqual([
      [NEGOTIATE, 'OK'],
      [NEGOTIATE, 'SESSION_LOST'],
    ]);
  });

  it('whose id is in use closes the link', async () => {
    const node = new NodeEnds(silent);
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    link.send(callOf(1));
    link.send(callOf(1));
    await until(() => device.reasons.length === 1);
    expect(device.reasons[0]).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it('that does not fit a frame is refused where it is sent', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    const link = world.client().connectLink();
    const device = new DeviceEnd(link);
    const call = { id: 1, method: NEGOTIATE, sealed: { ciphertext: new Uint8Array(MAX_FRAME_BYTES) } };
    expect(() => link.send(call)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
    link.send(callOf(2));
    await until(() => device.replies.length === 1);
  });
});

describe('a stranger on a link', () => {
  it.each([
    ['bytes that are no frame', Uint8Array.of(0x0a, 0x7f, 1)],
    ['a frame without calls', new Uint8Array(0)],
  ])('that sends %s is cut off with BAD_MESSAGE', async (_name, bytes) => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    expect(await world.stranger().call(CONNECT, bytes)).toMatchObject({ code: 'BAD_MESSAGE' });
    expect(node.reasons[0]).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it('that sends a frame longer than any is cut off with MESSAGE_TOO_LARGE', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept });
    const bytes = new Uint8Array(MAX_FRAME_BYTES + 1);
    expect(await world.stranger().call(CONNECT, bytes)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(node.streams).toHaveLength(1);
  });

  it('that opens a link and does not use it loses it', async () => {
    const clock = new ManualClock();
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept }, { clock });
    world.stranger().open(CONNECT);
    await until(() => node.streams.length === 1);
    clock.advance(10_000);
    expect(node.reasons[0]).toMatchObject({ code: 'LINK_IDLE' });
  });

  it('gets no more links than an address may have, and one again when one was closed', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept }, { links: { maxLinksPerAddress: 2 } });
    const client = world.client();
    const links = [client.connectLink(), client.connectLink()];
    await until(() => node.streams.length === 2);
    const refused = new DeviceEnd(client.connectLink());
    await until(() => refused.reasons.length === 1);
    expect(refused.reasons[0]).toMatchObject({ code: 'TOO_MANY_LINKS' });
    links[0]?.close();
    await until(() => node.reasons.length === 1);
    client.connectLink();
    await until(() => node.streams.length === 3);
  });

  it('gets no more links than all peers may have together', async () => {
    const node = new NodeEnds(echo);
    const world = await start({ link: node.accept }, { links: { maxLinks: 1 } });
    world.client().connectLink();
    await until(() => node.streams.length === 1);
    const refused = new DeviceEnd(world.client().connectLink());
    await until(() => refused.reasons.length === 1);
    expect(refused.reasons[0]).toMatchObject({ code: 'TOO_MANY_LINKS' });
  });

  it('that never reads gets its link closed with LINK_OVERFLOW and its connection cut', async () => {
    const clock = new ManualClock();
    const node = new NodeEnds(silent);
    const links = { maxPendingBytes: 1024 * 1024 };
    const world = await start({ link: node.accept }, { clock, links });
    const stream = world.stranger().open(CONNECT);
    stream.write(framed(encode('symmetra.link.v1.ConnectRequest', { calls: [callOf(1)] })));
    await until(() => node.callIds.length === 1);
    const ciphertext = new Uint8Array(32 * 1024);
    let sent = 0;
    while (sent < 1000 && node.streams[0]?.sendEvent({ node: 'n1', sealed: { ciphertext } }) === true) {
      sent += 1;
      await new Promise(setImmediate);
    }
    expect(sent).toBeGreaterThan(16);
    expect(sent).toBeLessThan(1000);
    expect(node.reasons[0]).toMatchObject({ code: 'LINK_OVERFLOW' });
    expect(stream.closed).toBe(false);
    clock.advance(5000);
    await until(() => stream.closed);
  });

  it('that sends calls faster than they are answered is not read any further', async () => {
    const node = new NodeEnds(silent);
    const world = await start({ link: node.accept }, { links: { maxCallsInFlight: 10 } });
    const stream = world.stranger().open(CONNECT);
    const replies: number[] = [];
    stream.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 5 + chunk.readUInt32BE(at + 1)) {
        const frame = chunk.subarray(at + 5, at + 5 + chunk.readUInt32BE(at + 1));
        replies.push(...decode('symmetra.link.v1.ConnectResponse', frame).replies.map((reply) => reply.id));
      }
    });
    const total = 200;
    for (let id = 1; id <= total; id++) {
      stream.write(framed(encode('symmetra.link.v1.ConnectRequest', { calls: [callOf(id)] })));
    }
    await until(() => node.callIds.length >= 10);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(node.callIds.length).toBeLessThan(total / 2);
    let answered = 0;
    await until(() => {
      for (; answered < node.callIds.length; answered++) {
        const [link] = node.streams;
        if (link !== undefined) echo(link, node.callIds[answered] ?? 0);
      }
      return replies.length === total;
    });
    expect(node.callIds).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  });
});
