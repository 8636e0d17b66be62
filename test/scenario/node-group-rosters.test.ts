import { InProcessNetwork } from '@symmetra/bus';
import { Reader, Writer, suites, toHex } from '@symmetra/crypto';
import {
  Roster,
  dealEpoch,
  dealHash as hashOfDeal,
  decodeGroupHeader,
  groupCoinLength,
} from '@symmetra/protocol';
import type { GroupEcho, GroupRequest, Placed } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import { ManualClock } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { GroupSeat } from '../../packages/node/src/group/group-seat.js';
import { GroupTable } from '../../packages/node/src/group/group-table.js';
import { RostersOfDeals } from '../../packages/node/src/group/rosters-of-deals.js';
import { Siblings } from '../../packages/node/src/replicas/siblings.js';
import { GROUP_ID, LIFETIME_SECONDS, NODE_IDS, deviceOf } from './group-world.js';
import { CONTEXT, flipped } from './protocol-world.js';

const placed = (...names: readonly string[]): readonly Placed[] =>
  names.map((name, place) => ({ place, deviceId: deviceOf(name) }));

const rosterOf = (writer: Writer, members: readonly Placed[]): Uint8Array =>
  writer.list(members, (w, { place, deviceId }) => w.u32(place).raw(deviceId)).finish();

const epochOf = (members: readonly Placed[], epoch: number, changed: Partial<GroupRequest> = {}) => {
  const roster = Roster.of(members);
  const request = {
    suiteId: 1,
    groupId: GROUP_ID,
    epoch,
    previous: new Uint8Array(0),
    barrier: 0,
    dealer: deviceOf('alice'),
    managers: [deviceOf('alice')],
    members: roster.size,
    height: roster.height,
    rosterRoot: roster.root(),
    purpose: 'test',
    keyLength: 32,
    limits: { lifetimeSeconds: LIFETIME_SECONDS, uses: 0 },
    threshold: 2,
    nodes: NODE_IDS,
    descriptorVersion: 1,
    policyRevision: 1,
    ...changed,
  };
  return dealEpoch(CONTEXT, request, {
    secret: new Uint8Array(32),
    coins: new Uint8Array(groupCoinLength(2)),
  });
};

/** A node that asks two others, of which the first one answers `lie`. */
const asking = (lie: Uint8Array, truth: Uint8Array): RostersOfDeals => {
  const clock = new ManualClock();
  const wire = new InProcessNetwork({ clock });
  const [self, liar, honest] = NODE_IDS;
  wire.join(liar).serve('group-roster', async () => lie);
  wire.join(honest).serve('group-roster', async () => truth);
  const bus = wire.join(self);
  const logger = createLogger({ level: 'silent', clock });
  const store = openMemoryStore();
  const siblings = new Siblings({ bus, clock, logger, store, isShared: false });
  const seat = new GroupSeat({ bus, clock, logger, store, state: { halted: false }, siblings });
  return new RostersOfDeals({
    bus,
    logger,
    context: CONTEXT,
    seat,
    table: new GroupTable(store, CONTEXT, false),
  });
};

describe('what a node that is behind asks of others', () => {
  const members = placed('alice', 'bob', 'carol');
  const { header, tag, dealHash, epochId } = epochOf(members, 3);
  const [, liar, honest] = NODE_IDS;
  const echo = [{ epoch: 3, dealHash }];

  test.each<[what: string, lie: Uint8Array]>([
    ['another roster', rosterOf(new Writer(), placed('alice', 'bob', 'mallory'))],
    ['a shorter one', rosterOf(new Writer(), placed('alice', 'bob'))],
    ['no roster', new Uint8Array(7)],
  ])('GRP-11: of a deal, from a node that gives %s: the next one is asked', async (_what, lie) => {
    const rosters = asking(lie, rosterOf(new Writer(), members));
    const echoes = new Map([liar, honest].map((node) => [node, echo] as const));
    const decoded = decodeGroupHeader(CONTEXT, header);
    const roster = await rosters.fetch(toHex(GROUP_ID), decoded, dealHash, echoes);
    expect([...(roster?.members() ?? [])]).toEqual(members);
    const alone = await rosters.fetch(toHex(GROUP_ID), decoded, dealHash, new Map([[liar, echo]]));
    expect(alone).toBeUndefined();
  });

  describe('GRP-11: of the epoch that a deal follows', () => {
    const followed = epochOf(members, 4, { previous: epochId, nodes: [...NODE_IDS, 'node-4'] });
    const following = decodeGroupHeader(CONTEXT, followed.header);
    const epoch = (of: { header: Uint8Array; tag: Uint8Array }, placedThere = members): Uint8Array =>
      rosterOf(new Writer().bytes(of.header).bytes(of.tag), placedThere);
    const other = epochOf(placed('alice', 'mallory'), 2);
    const anotherTag = epoch({ header, tag: flipped(tag) });
    const gaveUp = ['node-4', [{ epoch: 3, dealHash, givenUp: true }]] as const;
    const fetched = async (lie: Uint8Array, others: readonly (readonly [string, GroupEcho])[]) => {
      const rosters = asking(lie, epoch({ header, tag }));
      const echoes = new Map([[liar, [{ epoch: 3, dealHash: hashIn(lie) }]], ...others]);
      return rosters.fetchBase(toHex(GROUP_ID), following, echoes);
    };

    test.each<[what: string, lie: Uint8Array]>([
      ['another one', epoch(other, placed('alice', 'mallory'))],
      ['another tag', anotherTag],
    ])('from a node that gives %s: the next one is asked', async (_what, lie) => {
      const base = await fetched(lie, [[honest, echo], gaveUp]);
      expect([...(base?.roster.members() ?? [])]).toEqual(members);
      expect(base?.tag).toEqual(tag);
    });

    test('from none, when fewer than q - 1 name its deal', async () => {
      expect(await fetched(anotherTag, [[honest, echo]])).toBeUndefined();
    });
  });
});

/** The hash of the deal that an answer gives. */
function hashIn(answer: Uint8Array): Uint8Array {
  const reader = new Reader(answer, 'epoch');
  return hashOfDeal(suites.get(1), reader.bytes(), reader.bytes());
}
