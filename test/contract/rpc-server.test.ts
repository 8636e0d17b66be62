import { SymmetraError } from '@symmetra/crypto';
import { decode, encode, methodPolicy } from '@symmetra/rpc';
import { ManualClock } from '@symmetra/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcWorld, never, outcomeCode, until } from './rpc-fixture.js';

const OFFER = '/symmetra.enrolment.v1.EnrolmentService/Offer';
const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
const CLOSE = '/symmetra.session.v1.SessionService/Close';
const GET_HEAD = '/symmetra.admin.v1.AdminService/GetHead';
const REFLECT = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

const worlds: RpcWorld[] = [];

async function start(...parameters: Parameters<typeof RpcWorld.start>): Promise<RpcWorld> {
  const world = await RpcWorld.start(...parameters);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

describe('a unary call', () => {
  it('reaches its handler with the message and the peer, and the reply comes back', async () => {
    const world = await start({
      offer: async (request, call) => {
        expect(call).toMatchObject({ method: OFFER, peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
        return { answer: Uint8Array.from([...request.offer].toReversed()) };
      },
    });
    const reply = await world.client().offer({ node: 'n2', offer: Uint8Array.of(1, 2, 3) });
    expect([...reply.answer]).toEqual([3, 2, 1]);
  });

  it('that is sealed or signed reaches the one handler of its kind', async () => {
    const world = await start({
      sealed: async (method, request) => ({ ...request, node: method, seq: request.seq + 1 }),
      signed: async (method, request) => ({ body: Buffer.from(method), signature: request.nonce }),
    });
    const client = world.client();
    const sealed = await client.sealed(NEGOTIATE, { session: new Uint8Array(16), seq: 4 });
    expect(sealed).toMatchObject({ node: NEGOTIATE, seq: 5 });
    const signed = await client.signed(GET_HEAD, { nonce: Uint8Array.of(9) });
    expect(signed.body.toString()).toBe(GET_HEAD);
    expect([...signed.signature]).toEqual([9]);
  });

  it('is refused, before its handler, when the table lacks the method', async () => {
    let called = 0;
    const policyOf: typeof methodPolicy = (name) => methodPolicy(name === OFFER ? '/nothing/AtAll' : name);
    const offer = async (): Promise<object> => {
      called += 1;
      return {};
    };
    const world = await start({ offer }, { policyOf });
    expect(await outcomeCode(() => world.client().offer({}))).toBe('METHOD_NOT_ALLOWED');
    expect(called).toBe(0);
  });

  it('of a method that no proto file declares is refused', async () => {
    const world = await start({});
    const outcome = await world
      .stranger()
      .call('/symmetra.session.v1.SessionService/Steal', new Uint8Array(0));
    expect(outcome.status).toBe('12');
  });

  it('that is not the message of its method is refused as BAD_MESSAGE', async () => {
    const world = await start({});
    const outcome = await world.stranger().call(OFFER, Uint8Array.of(0x12, 0x7f, 1));
    expect(outcome).toMatchObject({ code: 'BAD_MESSAGE', status: '3' });
  });

  it('that is longer than the method accepts is refused on both sides', async () => {
    const world = await start({});
    const offer = new Uint8Array(methodPolicy(OFFER).maxBytes + 1);
    expect(await outcomeCode(() => world.client().offer({ offer }))).toBe('MESSAGE_TOO_LARGE');
    const message = encode('symmetra.enrolment.v1.OfferRequest', { offer });
    const outcome = await world.stranger().call(OFFER, message);
    expect(outcome).toMatchObject({ code: 'MESSAGE_TOO_LARGE', status: '8' });
  });

  it('that is longer than the server reads at all ends without being read', async () => {
    const world = await start({}, { maxMessageBytes: 1000 });
    const outcome = await world.stranger().call(OFFER, new Uint8Array(1001));
    expect(outcome).toMatchObject({ code: undefined, status: '8' });
  });

  it('whose reply is longer than the client accepts fails there', async () => {
    const world = await start({ getDescriptor: async () => ({ descriptor: new Uint8Array(5000) }) });
    const client = world.client({ maxMessageBytes: 4000 });
    expect(await outcomeCode(() => client.getDescriptor())).toBe('MESSAGE_TOO_LARGE');
  });
});

describe('rates', () => {
  it('of a peer address run out and come back with time', async () => {
    const clock = new ManualClock();
    const rate = { perSecond: 1, burst: 3, per: 'peer-address' } as const;
    const policyOf: typeof methodPolicy = (name) => ({ ...methodPolicy(name), rate });
    const world = await start({ offer: async () => ({}) }, { clock, policyOf });
    const client = world.client();
    const call = async (): Promise<string> => outcomeCode(() => client.offer({}));
    expect([await call(), await call(), await call(), await call()]).toEqual([
      'OK',
      'OK',
      'OK',
      'RATE_LIMITED',
    ]);
    clock.advance(1000);
    expect([await call(), await call()]).toEqual(['OK', 'RATE_LIMITED']);
  });

  it('of one session leave the others alone', async () => {
    const clock = new ManualClock();
    const { burst } = methodPolicy(CLOSE).rate;
    const world = await start({ sealed: async (_method, request) => request }, { clock });
    const client = world.client();
    const call = async (session: number): Promise<string> =>
      outcomeCode(() => client.sealed(CLOSE, { session: new Uint8Array(16).fill(session) }));
    for (let count = 0; count < burst; count++) expect(await call(1)).toBe('OK');
    expect(await call(1)).toBe('RATE_LIMITED');
    expect(await call(2)).toBe('OK');
  });

  it('of all methods together stop a peer that invents sessions', async () => {
    const clock = new ManualClock();
    const ratePerAddress = { perSecond: 1, burst: 5 };
    const world = await start({ sealed: async (_method, request) => request }, { clock, ratePerAddress });
    const client = world.client();
    const outcomes: string[] = [];
    for (let session = 0; session < 7; session++) {
      outcomes.push(
        await outcomeCode(() => client.sealed(CLOSE, { session: new Uint8Array(16).fill(session) })),
      );
    }
    expect(outcomes).toEqual(['OK', 'OK', 'OK', 'OK', 'OK', 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});

describe('errors', () => {
  it('with a code that may leave arrive as they were raised', async () => {
    const world = await start({
      offer: () => Promise.reject(new SymmetraError('TOKEN_SPENT', 'the token has no use left')),
    });
    await expect(world.client().offer({})).rejects.toMatchObject({
      code: 'TOKEN_SPENT',
      message: 'the token has no use left',
    });
  });

  it.each([
    ['a SymmetraError of an inner layer', new SymmetraError('SECRET_WIPED', 'inner secret name')],
    ['any other error', new Error('inner path and number')],
  ])('%s arrives as INTERNAL without its text, which is logged', async (_name, error) => {
    const world = await start({ offer: () => Promise.reject(error) });
    await expect(world.client().offer({})).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('inner'),
    });
    expect(world.logs).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'A call failed.', method: OFFER }),
    );
  });

  it('carry any text as printable ASCII', async () => {
    const world = await start({
      offer: () => Promise.reject(new SymmetraError('POLICY_REFUSED', 'no\n\ud800 \u{1f511}')),
    });
    await expect(world.client().offer({})).rejects.toMatchObject({ message: 'no?? ??' });
  });

  it('that are replies which do not fit their type are INTERNAL, not the caller', async () => {
    const world = await start({ offer: async () => [] as never });
    expect(await outcomeCode(() => world.client().offer({}))).toBe('INTERNAL');
  });

  it('of the transport have codes of their own', async () => {
    const world = await start({ offer: never });
    expect(await outcomeCode(() => world.client({ deadlineMs: 50 }).offer({}))).toBe('DEADLINE_EXCEEDED');
    const client = world.client();
    await world.server.stop(0);
    expect(await outcomeCode(() => client.offer({}))).toBe('NODE_UNREACHABLE');
    client.close();
    expect(await outcomeCode(() => client.offer({}))).toBe('CLIENT_CLOSED');
  });
});

describe('the audit hook', () => {
  it('is told of audited calls and how they ended, and of no others', async () => {
    const world = await start({
      getDescriptor: async () => ({}),
      offer: async () => ({}),
      confirm: () => Promise.reject(new SymmetraError('TOKEN_EXPIRED', 'the token has expired')),
      step: () => Promise.reject(new Error('inner')),
    });
    const client = world.client();
    await client.getDescriptor();
    await client.offer({});
    await outcomeCode(() => client.confirm({}));
    await outcomeCode(() => client.step({}));
    expect(world.audits.map(({ method, code }) => [method.split('/').at(-1), code])).toEqual([
      ['Offer', 'OK'],
      ['Confirm', 'TOKEN_EXPIRED'],
      ['Step', 'INTERNAL'],
    ]);
  });
});

describe('the health service', () => {
  it('says what the node says, for the node and for each service', async () => {
    const world = await start({});
    const client = world.client();
    expect(await client.health()).toBe('NOT_SERVING');
    world.server.setServing(true);
    expect(await client.health()).toBe('SERVING');
    expect(await client.health('symmetra.link.v1.LinkService')).toBe('SERVING');
    expect(await outcomeCode(() => client.health('symmetra.Nothing'))).toBe('NO_SUCH_SERVICE');
  });

  it('tells those who watch of every change, and lets them go when the server stops', async () => {
    const world = await start({});
    const stream = world.stranger().open('/grpc.health.v1.Health/Watch');
    const statuses: string[] = [];
    stream.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 5 + chunk.readUInt32BE(at + 1)) {
        const message = chunk.subarray(at + 5, at + 5 + chunk.readUInt32BE(at + 1));
        statuses.push(decode('grpc.health.v1.HealthCheckResponse', message).status);
      }
    });
    stream.end(Buffer.alloc(5));
    await until(() => statuses.length === 1);
    world.server.setServing(true);
    await until(() => statuses.length === 2);
    await world.server.stop(2000);
    await until(() => stream.closed);
    expect(statuses).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });
});

describe('reflection', () => {
  const listServices = Uint8Array.of(0x3a, 1, 0x2a);

  it('names the services when it is on', async () => {
    const world = await start({}, { reflection: true });
    const outcome = await world.stranger().call(REFLECT, listServices);
    expect(outcome.status).toBe('0');
    expect(outcome.body.toString('latin1')).toContain('symmetra.link.v1.LinkService');
  });

  it('is not there when it is off', async () => {
    const world = await start({});
    expect((await world.stranger().call(REFLECT, listServices)).status).toBe('12');
  });

  it('passes the method table', async () => {
    const policyOf: typeof methodPolicy = (name) => methodPolicy(name === REFLECT ? '/nothing/AtAll' : name);
    const world = await start({}, { reflection: true, policyOf });
    expect(await world.stranger().call(REFLECT, listServices)).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });
});

describe('starting and stopping', () => {
  it('fails with PORT_IN_USE on a port that is taken', async () => {
    const world = await start({});
    expect(await outcomeCode(() => start({}, { port: world.port }))).toBe('PORT_IN_USE');
  });

  it('fails with LISTEN_FAILED on an address that is not of this machine', async () => {
    expect(await outcomeCode(() => start({}, { host: '192.0.2.1' }))).toBe('LISTEN_FAILED');
  });

  it('lets a call that is under way finish', async () => {
    let finish: (() => void) | undefined;
    const world = await start({
      offer: () =>
        new Promise((resolve) => {
          finish = () => resolve({ answer: Uint8Array.of(1) });
        }),
    });
    const reply = world.client().offer({});
    await until(() => finish !== undefined);
    const stopped = world.server.stop(10_000);
    finish?.();
    expect([...(await reply).answer]).toEqual([1]);
    await stopped;
  });

  it('ends a call that never finishes when the time is over', async () => {
    let called = false;
    const world = await start({
      offer: () => {
        called = true;
        return never();
      },
    });
    const code = outcomeCode(() => world.client().offer({}));
    await until(() => called);
    await world.server.stop(50);
    expect(['NODE_UNREACHABLE', 'TRANSPORT_FAILED']).toContain(await code);
  });

  it('may be asked for twice, and before the start', async () => {
    const world = await start({});
    await Promise.all([world.server.stop(1000), world.server.stop(1000)]);
    expect(await outcomeCode(() => world.client().getDescriptor())).toBe('NODE_UNREACHABLE');
  });
});
