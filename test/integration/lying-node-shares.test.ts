import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sha256, suites } from '@symmetra/crypto';
import { decodeHeader, encodeHeader } from '@symmetra/protocol';
import type { Header } from '@symmetra/protocol';
import type { DeviceEvent } from '../../packages/node/src/presence/event-sender.js';
import { LiarsFleet, NODES } from './lying-node-fleet.js';
import { honest } from './lying-node.js';
import type { Lies } from './lying-node.js';
import { agree, until } from './sdk-fleet.js';

/** A node that lies to whomever it delivers a share. */
const LIAR = 'node-2';
const HONEST = NODES.filter((node) => node !== LIAR);

type DeliveryField = NonNullable<DeviceEvent['delivery']>;

/** A delivery, its bytes copied: the node erases what it sent. */
interface Delivery extends Pick<DeliveryField, 'initiator' | 'granted'> {
  readonly header: Uint8Array;
  readonly share: Uint8Array;
  readonly ephemeralKey: Uint8Array;
}

let world: LiarsFleet;
beforeAll(async () => {
  world = await LiarsFleet.start();
});
afterEach(() => honest());
afterAll(async () => world.stop());

/** Changes every delivery of the liar. */
function delivering(change: (delivery: Delivery) => Delivery): Lies {
  return {
    event: (event, _device, send) => {
      send(event.delivery ? { ...event, delivery: change(copyOf(event.delivery)) } : event);
    },
  };
}

/** The header of a delivery, with other content. */
function altered(delivery: Delivery, change: (header: Header) => Partial<Header>): Delivery {
  const context = { networkId: world.fleet.network.descriptor.networkId, suites };
  const header = decodeHeader(context, delivery.header);
  return { ...delivery, header: encodeHeader(context, { ...header, ...change(header) }) };
}

function copyOf({ header, share, ephemeralKey, ...rest }: DeliveryField): Delivery {
  return { ...rest, header: bytesOf(header), share: bytesOf(share), ephemeralKey: bytesOf(ephemeralKey) };
}

function bytesOf(value: string | Uint8Array | undefined): Uint8Array {
  if (typeof value === 'string') throw new Error('bytes are not text');
  return new Uint8Array(value ?? []);
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 1);
}

describe('PAIR-11: one of three nodes lies about its delivery; the key is that of the two others', () => {
  test('a wrong share', async () => {
    const lies = delivering((delivery) => ({ ...delivery, share: flipped(delivery.share) }));
    const pair = await world.agreeWhile(LIAR, lies);
    expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
    await world.expectReported(world.bob, pair, LIAR, 'SHARE_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('another ephemeral key', async () => {
    const lies = delivering((delivery) => ({ ...delivery, ephemeralKey: flipped(delivery.ephemeralKey) }));
    const pair = await world.agreeWhile(LIAR, lies);
    expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
    await world.expectReported(world.bob, pair, LIAR, 'EPHEMERAL_KEY_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('an altered header: another purpose, and a descriptor that nobody has', async () => {
    for (const change of [{ purpose: 'other' }, { descriptorVersion: 99 }, { threshold: 3 }]) {
      const lies = delivering((delivery) => altered(delivery, () => change));
      const pair = await world.agreeWhile(LIAR, lies);
      expect(pair.ours).toMatchObject({ purpose: 'application' });
      expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
      await world.expectReported(world.bob, pair, LIAR, 'HEADER_MISMATCH');
    }
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('an altered header with a share of its own', async () => {
    const share = new Uint8Array(32).fill(7);
    const lies = delivering((delivery) => ({
      ...altered(delivery, ({ suiteId, keyId, commitments, nodes }) => ({
        commitments: commitments.with(nodes.indexOf(LIAR), suites.get(suiteId).hash(sha256(keyId, share))),
      })),
      share,
    }));
    const pair = await world.agreeWhile(LIAR, lies);
    expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
    await world.expectReported(world.bob, pair, LIAR, 'SHARE_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('limits that would end the key at once', async () => {
    const granted = { lifetimeSeconds: 1, uses: 1 };
    const pair = await world.agreeWhile(
      LIAR,
      delivering((delivery) => ({ ...delivery, granted })),
      {
        lifetime: 3_600_000,
      },
    );
    expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
    expect(pair.ours.usesLeft).toBeNull();
    expect(Date.parse(pair.theirs.notAfter)).toBeGreaterThan(Date.now() + 3_000_000);
    await world.expectReported(world.bob, pair, LIAR, 'LIMITS_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('limits beyond those asked for', async () => {
    const granted = { lifetimeSeconds: 4_000_000, uses: 0 };
    const pair = await world.agreeWhile(
      LIAR,
      delivering((delivery) => ({ ...delivery, granted })),
    );
    expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
    await world.expectReported(world.bob, pair, LIAR, 'LIMITS_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('no share at all', async () => {
    const pair = await world.agreeWhile(LIAR, {
      event: (event, _device, send) => {
        if (!event.delivery) send(event);
      },
    });
    expect(pair.ours.nodes.toSorted()).toEqual(HONEST);
    await world.expectReported(world.bob, pair, LIAR, 'DELIVERY_MISSING');
    await world.expectNobodyElseHarmed(LIAR);
  });
});

describe('PAIR-3: one of three nodes lies about what it approved', () => {
  test('a receipt for another header', async () => {
    const pair = await world.agreeWhile(LIAR, {
      receipt: (receipt) => ({ ...receipt, headerHash: flipped(receipt.headerHash) }),
    });
    expect(world.alice.key(pair.ours.keyId).fingerprint).toBe(world.bob.key(pair.ours.keyId).fingerprint);
    await world.expectReported(world.alice, pair, LIAR, 'HEADER_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('other limits to one end than to the other', async () => {
    const pair = await world.agreeWhile(LIAR, {
      receipt: (receipt) => ({ ...receipt, granted: { lifetimeSeconds: 1, uses: 1 } }),
    });
    expect(pair.ours.usesLeft).toBeNull();
    await world.expectReported(world.alice, pair, LIAR, 'LIMITS_MISMATCH');
    await world.expectNobodyElseHarmed(LIAR);
  });
});

describe('PAIR-5: one of three nodes is not in step', () => {
  test('shares that come long behind the key change nothing, and nobody is reported for being slow', async () => {
    const later: (() => void)[] = [];
    const lies: Lies = {
      event: (event, _device, send) => {
        if (event.delivery) later.push(() => send(event));
        else send(event);
      },
    };
    const before = world.reports.get(world.bob)?.length;
    const pair = await world.agreeWhile(LIAR, lies);
    await until(() => later.length > 0, 'a share held back');
    for (const send of later) send();
    await world.expectNobodyElseHarmed(LIAR);
    expect(world.reports.get(world.bob)?.length).toBe(before);
    expect(world.bob.key(pair.ours.keyId).fingerprint).toBe(pair.ours.fingerprint);
  });

  test('shares of an earlier key come again, as they were and under the next key id', async () => {
    const heard: Delivery[] = [];
    const first = await world.agreeWhile(
      LIAR,
      delivering((delivery) => {
        heard.push(delivery);
        return delivery;
      }),
    );
    await until(() => heard.length > 0, 'a share to replay');
    const [old] = heard as [Delivery];
    const second = await world.agreeWhile(LIAR, {
      event: (event, _device, send) => {
        if (event.delivery) for (let i = 0; i < 3; i++) send({ delivery: copyOf(old) });
        else send(event);
      },
    });
    expect(second.ours.nodes.toSorted()).toEqual(HONEST);
    const mixed = delivering((delivery) => ({ ...delivery, share: old.share.slice() }));
    const third = await world.agreeWhile(LIAR, mixed);
    await world.expectReported(world.bob, third, LIAR, 'SHARE_MISMATCH');
    expect(new Set([first, second, third].map(({ ours }) => ours.fingerprint)).size).toBe(3);
    await world.expectNobodyElseHarmed(LIAR);
  });

  test('a flood of invented negotiations', async () => {
    let invented = 0;
    const pair = await world.agreeWhile(LIAR, {
      event: (event, _device, send) => {
        if (event.delivery) {
          const delivery = copyOf(event.delivery);
          for (; invented < 50; invented++) {
            const keyId = new Uint8Array(16).fill(invented);
            send({ delivery: altered(delivery, () => ({ keyId })) });
          }
        }
        send(event);
      },
    });
    expect(invented).toBe(50);
    expect(world.bob.keys().filter(({ keyId }) => keyId === pair.ours.keyId).length).toBe(1);
    expect((await agree(world.alice, world.bob)).ours.state).toBe('active');
    await world.expectNobodyElseHarmed(LIAR);
  });
});
