import { SymmetraError } from '@symmetra/crypto';
import { MAX_PAYLOAD_BYTES } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { afterEach, describe, expect, it } from 'vitest';

/** A bus under test: joins nodes and lets time pass. */
export interface BusUnderTest {
  join(nodeId: string): Promise<Bus>;
  /** Lets `ms` milliseconds pass for the timers of all joined nodes. */
  pass(ms: number): Promise<void>;
}

const TIMEOUT = { timeoutMs: 5000 };

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The error that a request fails with. */
async function errorOf(request: Promise<Uint8Array>): Promise<unknown> {
  try {
    return await request;
  } catch (error) {
    return error;
  }
}

/** The suite that every implementation of the bus passes. */
export function describeBus(name: string, create: () => Promise<BusUnderTest>): void {
  describe(`the bus: ${name}`, () => {
    const joined: Bus[] = [];

    async function nodes(count: number): Promise<{ network: BusUnderTest; buses: [Bus, Bus, ...Bus[]] }> {
      const network = await create();
      const buses: Bus[] = [];
      for (let index = 1; index <= count; index++) buses.push(await network.join(`n${index}`));
      joined.push(...buses);
      return { network, buses: buses as [Bus, Bus, ...Bus[]] };
    }

    afterEach(async () => {
      for (const bus of joined.splice(0)) await bus.close();
    });

    it('carries a request to the handler of its subject, and the reply back', async () => {
      const { buses } = await nodes(3);
      const [first, second] = buses;
      expect(buses.map((bus) => bus.self)).toEqual(['n1', 'n2', 'n3']);
      second.serve('greet', async (from, payload) => text(`${from} says ${read(payload)}`));
      second.serve('other', async () => text('wrong handler'));
      expect(read(await first.request('n2', 'greet', text('good day'), TIMEOUT))).toBe('n1 says good day');
    });

    it('carries a request of a node to itself', async () => {
      const { buses } = await nodes(2);
      buses[0].serve('greet', async (from) => text(from));
      expect(read(await buses[0].request('n1', 'greet', text(''), TIMEOUT))).toBe('n1');
    });

    it('carries a request to the process that it names, and to no other', async () => {
      const { buses } = await nodes(2);
      const [first, second] = buses;
      second.serve('greet', async () => text('here'));
      expect(second.instance).toMatch(/^[0-9a-f]{8}$/);
      expect(first.instance).not.toBe(second.instance);
      const named = { ...TIMEOUT, instance: second.instance };
      expect(read(await first.request('n2', 'greet', text(''), named))).toBe('here');
      const gone = { ...TIMEOUT, instance: 'ffffffff' };
      expect(await errorOf(first.request('n2', 'greet', text(''), gone))).toMatchObject({
        code: 'INSTANCE_GONE',
      });
    });

    it('carries empty payloads', async () => {
      const { buses } = await nodes(2);
      buses[1].serve('greet', async (_from, payload) => payload);
      expect(await buses[0].request('n2', 'greet', new Uint8Array(0), TIMEOUT)).toHaveLength(0);
    });

    it('shares no memory between requester and handler', async () => {
      const { buses } = await nodes(2);
      const kept: Uint8Array[] = [];
      buses[1].serve('keep', async (_from, payload) => {
        kept.push(payload);
        const reply = text('reply');
        kept.push(reply);
        return reply;
      });
      const request = text('request');
      const reply = buses[0].request('n2', 'keep', request, TIMEOUT);
      request.fill(0);
      const received = await reply;
      received.fill(0);
      expect(kept.map(read)).toEqual(['request', 'reply']);
    });

    it('delivers the requests of one node to another in their order', async () => {
      const { buses } = await nodes(2);
      const order: string[] = [];
      buses[1].serve('count', async (_from, payload) => {
        order.push(read(payload));
        return payload;
      });
      const names = Array.from({ length: 50 }, (_, index) => String(index));
      const replies = await Promise.all(
        names.map(async (value) => buses[0].request('n2', 'count', text(value), TIMEOUT)),
      );
      expect(order).toEqual(names);
      expect(replies.map(read)).toEqual(names);
    });

    it('does not call a handler in the turn of the request', async () => {
      const { buses } = await nodes(2);
      let called = false;
      buses[1].serve('call', async (_from, payload) => {
        called = true;
        return payload;
      });
      const reply = buses[0].request('n2', 'call', text(''), TIMEOUT);
      expect(called).toBe(false);
      await reply;
    });

    it('answers one request while another waits', async () => {
      const { buses } = await nodes(2);
      let release: (() => void) | undefined;
      buses[1].serve('slow', async (_from, payload) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return payload;
      });
      buses[1].serve('quick', async (_from, payload) => payload);
      const slow = buses[0].request('n2', 'slow', text('slow'), TIMEOUT);
      expect(read(await buses[0].request('n2', 'quick', text('quick'), TIMEOUT))).toBe('quick');
      release?.();
      expect(read(await slow)).toBe('slow');
    });

    it('brings a SymmetraError of the handler back as it was raised', async () => {
      const { buses } = await nodes(2);
      buses[1].serve('refuse', async () => {
        throw new SymmetraError('POLICY_REFUSED', 'the policy says no: ü', { rule: 'r-1', limit: 2.5 });
      });
      await expect(buses[0].request('n2', 'refuse', text(''), TIMEOUT)).rejects.toMatchObject({
        name: 'SymmetraError',
        code: 'POLICY_REFUSED',
        message: 'the policy says no: ü',
        details: { rule: 'r-1', limit: 2.5 },
      });
    });

    it('says INTERNAL, and no more, of any other failure of the handler', async () => {
      const { buses } = await nodes(2);
      buses[1].serve('fail', async () => {
        throw new Error('inner text');
      });
      await expect(buses[0].request('n2', 'fail', text(''), TIMEOUT)).rejects.toMatchObject({
        code: 'INTERNAL',
        message: 'the node could not answer',
        details: {},
      });
    });

    it('says NO_HANDLER for a subject that the node does not serve', async () => {
      const { buses } = await nodes(2);
      await expect(buses[0].request('n2', 'nothing', text(''), TIMEOUT)).rejects.toMatchObject({
        code: 'NO_HANDLER',
      });
    });

    it('refuses a second handler for a subject', async () => {
      const { buses } = await nodes(2);
      const handler = async (_from: string, payload: Uint8Array): Promise<Uint8Array> => payload;
      buses[0].serve('greet', handler);
      expect(() => buses[0].serve('greet', handler)).toThrow(
        expect.objectContaining({ code: 'SUBJECT_TAKEN' }),
      );
    });

    it('says NODE_UNREACHABLE for a node that is not there', async () => {
      const { buses } = await nodes(2);
      await expect(buses[0].request('n9', 'greet', text(''), TIMEOUT)).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
    });

    it('says BUS_TIMEOUT when no reply comes in time, and drops the reply that comes later', async () => {
      const { network, buses } = await nodes(2);
      let release: (() => void) | undefined;
      buses[1].serve('slow', async (_from, payload) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return payload;
      });
      const failure = errorOf(buses[0].request('n2', 'slow', text(''), { timeoutMs: 200 }));

      await network.pass(199);
      expect(release).toBeTypeOf('function');
      await network.pass(1);
      expect(await failure).toMatchObject({
        code: 'BUS_TIMEOUT',
        details: { node: 'n2', subject: 'slow', timeoutMs: 200 },
      });
      release?.();
      await network.pass(1);
    });

    it('carries payloads up to the bound, and none beyond it in either direction', async () => {
      const { buses } = await nodes(2);
      let calls = 0;
      buses[1].serve('size', async (_from, payload) => {
        calls += 1;
        return payload.length === 0 ? new Uint8Array(MAX_PAYLOAD_BYTES + 1) : payload;
      });
      const largest = new Uint8Array(MAX_PAYLOAD_BYTES).fill(3);
      const reply = await buses[0].request('n2', 'size', largest, TIMEOUT);
      expect(Buffer.compare(reply, largest)).toBe(0);
      const tooLarge = { code: 'MESSAGE_TOO_LARGE' };
      const longer = new Uint8Array(MAX_PAYLOAD_BYTES + 1);
      await expect(buses[0].request('n2', 'size', longer, TIMEOUT)).rejects.toMatchObject(tooLarge);
      expect(calls).toBe(1);
      await expect(buses[0].request('n2', 'size', new Uint8Array(0), TIMEOUT)).rejects.toMatchObject(
        tooLarge,
      );
    });

    it('fails what waits for a node that leaves, and what is asked of it later', async () => {
      const { buses } = await nodes(2);
      let called: (() => void) | undefined;
      const reached = new Promise<void>((resolve) => {
        called = resolve;
      });
      buses[1].serve('leave', async () => {
        called?.();
        return new Promise(() => {
          // Nothing settles it.
        });
      });
      const failure = errorOf(buses[0].request('n2', 'leave', text(''), TIMEOUT));

      await reached;
      await buses[1].close();
      expect(await failure).toMatchObject({ code: 'NODE_UNREACHABLE' });
      await expect(buses[0].request('n2', 'leave', text(''), TIMEOUT)).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
    });

    it('fails what a node waits for when it leaves itself, and what it asks later', async () => {
      const { buses } = await nodes(2);
      buses[1].serve('greet', async (_from, payload) => payload);
      const failure = errorOf(buses[0].request('n2', 'greet', text(''), TIMEOUT));

      await buses[0].close();
      await buses[0].close();
      expect(await failure).toMatchObject({ code: 'NODE_UNREACHABLE' });
      await expect(buses[0].request('n2', 'greet', text(''), TIMEOUT)).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
    });

    it('has room again for the id of a node that left', async () => {
      const { network, buses } = await nodes(2);
      await buses[1].close();
      const again = await network.join('n2');
      joined.push(again);
      again.serve('greet', async () => text('back'));
      expect(read(await buses[0].request('n2', 'greet', text(''), TIMEOUT))).toBe('back');
    });
  });
}
