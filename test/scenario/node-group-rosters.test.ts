import { InProcessNetwork } from '@symmetra/bus';
import { Writer, toHex } from '@symmetra/crypto';
import { Roster, dealEpoch, decodeGroupHeader, groupCoinLength } from '@symmetra/protocol';
import type { Placed } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import { ManualClock } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { GroupSeat } from '../../packages/node/src/group/group-seat.js';
import { GroupTable } from '../../packages/node/src/group/group-table.js';
import { RostersOfDeals } from '../../packages/node/src/group/rosters-of-deals.js';
import { Siblings } from '../../packages/node/src/replicas/siblings.js';
import { GROUP_ID, LIFETIME_SECONDS, NODE_IDS, deviceOf } from './group-world.js';
import { CONTEXT } from './protocol-world.js';

const placed = (...names: readonly string[]): readonly Placed[] =>
  names.map((name, place) => ({ place, deviceId: deviceOf(name) }));

const rosterOf = (writer: Writer, members: readonly Placed[]): Uint8Array =>
  writer.list(members, (w, { place, deviceId }) => w.u32(place).raw(deviceId)).finish();

const epochOf = (members: readonly Placed[], epoch: number) => {
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

  test('GRP-11: of the epoch that a deal follows, from a node that gives another one: the next one is asked', async () => {
    const strangers = placed('alice', 'mallory');
    const other = epochOf(strangers, 2);
    const lie = rosterOf(new Writer().bytes(other.header).bytes(other.tag), strangers);
    const rosters = asking(lie, rosterOf(new Writer().bytes(header).bytes(tag), members));
    const base = await rosters.fetchBase(toHex(GROUP_ID), epochId, [liar, honest]);
    expect([...(base?.roster.members() ?? [])]).toEqual(members);
    expect(await rosters.fetchBase(toHex(GROUP_ID), epochId, [liar])).toBeUndefined();
  });
});
