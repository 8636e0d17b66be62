import type { Wire, WireAddress } from '@symmetra/bus';
import { afterEach, describe, expect, it } from 'vitest';

/** Wires under test: processes join them, time passes. */
export interface WiresUnderTest {
  join(address: Required<WireAddress>): Promise<Wire>;
  /** Lets what was sent arrive. */
  settle(): Promise<void>;
}

interface End {
  readonly wire: Wire;
  readonly received: string[];
  readonly absent: WireAddress[];
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The suite that every implementation of the wire passes in fair weather. */
export function describeWire(name: string, create: () => Promise<WiresUnderTest>): void {
  describe(`the wire: ${name}`, () => {
    const joined: Wire[] = [];

    async function ends(wires: WiresUnderTest, ...addresses: [string, string][]): Promise<End[]> {
      const result: End[] = [];
      for (const [node, instance] of addresses) {
        const wire = await wires.join({ node, instance });
        joined.push(wire);
        const end: End = { wire, received: [], absent: [] };
        wire.listen(
          (datagram) => void end.received.push(new TextDecoder().decode(datagram)),
          (to) => void end.absent.push(to),
        );
        result.push(end);
      }
      await wires.settle();
      return result;
    }

    afterEach(async () => {
      for (const wire of joined.splice(0)) await wire.close();
    });

    it('carries datagrams to the process that is named, in order', async () => {
      const wires = await create();
      const [first, second, third] = await ends(
        wires,
        ['n1', '00000001'],
        ['n2', '00000002'],
        ['n2', '00000003'],
      );
      expect(second?.wire.address).toEqual({ node: 'n2', instance: '00000002' });
      for (const text of ['a', 'b', '']) first?.wire.send({ node: 'n2', instance: '00000002' }, bytes(text));
      second?.wire.send({ node: 'n1', instance: '00000001' }, bytes('c'));
      await wires.settle();
      expect(second?.received).toEqual(['a', 'b', '']);
      expect(first?.received).toEqual(['c']);
      expect(third?.received).toEqual([]);
      expect(first?.absent).toEqual([]);
    });

    it('carries what is for any process of a node to one of them', async () => {
      const wires = await create();
      const [first, second, third] = await ends(
        wires,
        ['n1', '00000001'],
        ['n2', '00000002'],
        ['n2', '00000003'],
      );
      for (let i = 0; i < 30; i++) first?.wire.send({ node: 'n2' }, bytes(`${i}`));
      await wires.settle();
      const all = [...(second?.received ?? []), ...(third?.received ?? [])];
      expect(all.toSorted((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 30 }, (_, i) => `${i}`),
      );
      expect(first?.absent).toEqual([]);
    });

    it('carries datagrams to the own process and to another one of the own node', async () => {
      const wires = await create();
      const [first, second] = await ends(wires, ['n1', '00000001'], ['n1', '00000002']);
      first?.wire.send({ node: 'n1', instance: '00000001' }, bytes('self'));
      first?.wire.send({ node: 'n1', instance: '00000002' }, bytes('sibling'));
      await wires.settle();
      expect(first?.received).toEqual(['self']);
      expect(second?.received).toEqual(['sibling']);
    });

    it('tells the sender alone that nobody listens', async () => {
      const wires = await create();
      const [first, second] = await ends(wires, ['n1', '00000001'], ['n2', '00000002']);
      first?.wire.send({ node: 'n3' }, bytes('a'));
      first?.wire.send({ node: 'n2', instance: 'ffffffff' }, bytes('b'));
      await wires.settle();
      expect(first?.absent).toEqual([{ node: 'n3' }, { node: 'n2', instance: 'ffffffff' }]);
      expect(second?.absent).toEqual([]);
      expect([first?.received, second?.received]).toEqual([[], []]);
    });

    it('delivers nothing to one that left, which is absent from then on', async () => {
      const wires = await create();
      const [first, second] = await ends(wires, ['n1', '00000001'], ['n2', '00000002']);
      second?.wire.send({ node: 'n1' }, bytes('last words'));
      await second?.wire.close();
      second?.wire.send({ node: 'n1' }, bytes('none'));
      first?.wire.send({ node: 'n2', instance: '00000002' }, bytes('a'));
      await wires.settle();
      expect(first?.received).toEqual(['last words']);
      expect(first?.absent).toEqual([{ node: 'n2', instance: '00000002' }]);
      expect(second?.received).toEqual([]);
    });

    it('carries the longest datagram, and loses a longer one', async () => {
      const wires = await create();
      const [first, second] = await ends(wires, ['n1', '00000001'], ['n2', '00000002']);
      const { maxDatagramBytes = 0 } = first?.wire ?? {};
      first?.wire.send({ node: 'n2' }, bytes('x'.repeat(maxDatagramBytes)));
      first?.wire.send({ node: 'n2' }, new Uint8Array(maxDatagramBytes + 1));
      first?.wire.send({ node: 'n2' }, bytes('after'));
      await wires.settle();
      expect(second?.received.map(({ length }) => length)).toEqual([maxDatagramBytes, 5]);
    });
  });
}
