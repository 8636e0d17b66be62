import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError, toBase32, toHex } from '@symmetra/crypto';
import { MAX_GIVEN_UP, MAX_STOOD_BY, decodeGroupHeader, encodeState, receiveEcho } from '@symmetra/protocol';
import type { GroupDeal } from '@symmetra/protocol';
import { openMemoryStore } from '@symmetra/storage';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMembers } from '../../packages/cli/src/device/group-members.js';
import { decodeGroupRow, encodeGroupRow } from '../../packages/node/src/group/group-row.js';
import {
  decodeRosterChanges,
  encodeRosterChanges,
  readRoster,
} from '../../packages/node/src/group/roster-pages.js';
import { rosterPageRow } from '../../packages/node/src/rows/row-keys.js';
import { parseGroupId, parseMembers } from '../../packages/sdk/src/group/group-options.js';
import { ALICE, BOB, CAROL, dealOn, device, groupNodes, inForceAt } from '../scenario/group-nodes.js';
import { CONTEXT } from '../scenario/protocol-world.js';
import { effort } from './effort.js';
import { mutated } from './protocol-corpus.js';

const RUNS = 200;
const GROUP = 'ab'.repeat(16);

/** What a node may refuse a deal with (GRP-4). */
const REFUSALS = new Set([
  'BAD_BARRIER',
  'BAD_ENCODING',
  'BAD_HEADER',
  'BELOW_FLOOR',
  'DEALER_MISMATCH',
  'DEALER_NOT_MEMBER',
  'DESCRIPTOR_OLD',
  'GROUP_BEHIND',
  'GROUP_CONFLICT',
  'GROUP_EMPTY',
  'GROUP_EPOCH_OLD',
  'GROUP_EXISTS',
  'GROUP_LIMITS',
  'GROUP_NOT_MANAGER',
  'GROUP_TOO_LARGE',
  'GROUP_UNKNOWN',
  'MANAGER_NOT_MEMBER',
  'MEMBER_TWICE',
  'MEMBER_UNKNOWN',
  'NOT_IN_NODE_SET',
  'PURPOSE_FORBIDDEN',
  'ROSTER_MISMATCH',
  'SHARE_MISMATCH',
  'SUITE_FORBIDDEN',
  'SUITE_UNKNOWN',
  'WRONG_NETWORK',
  'WRONG_VERSION',
]);

/** `read`, or the code of the refusal. Anything else that is thrown fails the test. */
async function outcome(read: () => unknown): Promise<string> {
  try {
    await read();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'read';
}

describe('GRP-4: receiveDeal', () => {
  const nodes = groupNodes(3, 2);
  const base = inForceAt(nodes, dealOn(undefined, ['n1', 'n2', 'n3'], 2, { added: [ALICE, BOB, CAROL] }));
  const dealt = dealOn(base, ['n1', 'n2', 'n3'], 2, { removed: [CAROL], added: [device('Frank')] });
  const [node] = nodes;
  const [part] = dealt.parts;
  if (!node || !part) throw new Error('there is a node, and its part of the deal');

  const devices = fc.array(fc.constantFrom(ALICE, BOB, CAROL, device('Frank')), { maxLength: 4 });
  const bent: fc.Arbitrary<Partial<GroupDeal>> = fc.oneof(
    fc.record({ header: mutated([part.header]) }),
    fc.record({ tag: fc.uint8Array({ maxLength: 31 }) }),
    fc.record({ share: mutated([part.share]) }),
    fc.record({ removed: devices }),
    fc.record({ added: devices }),
  );

  const isDealt = ({ header, share, tag, removed, added }: GroupDeal): boolean =>
    [header, share, tag].map(toHex).join() === [part.header, part.share, part.tag].map(toHex).join() &&
    removed.map(toHex).join() === toHex(CAROL) &&
    added.map(toHex).join() === toHex(device('Frank'));

  /** What of a header a node can check against what it has; the rest is for the dealer to choose. */
  const rosterOf = (bytes: Uint8Array): string => {
    const header = decodeGroupHeader(CONTEXT, bytes);
    const { members, height, barrier, threshold } = header;
    return [toHex(header.rosterRoot), toHex(header.previous), members, height, barrier, threshold].join();
  };

  test('stands by no deal that does not fit itself, and keeps its state then', async () => {
    const before = node.state;
    const stored = toHex(encodeState(before ?? {}));
    await fc.assert(
      fc.asyncProperty(bent, async (changed) => {
        const deal = { ...part, ...changed };
        if (isDealt(deal)) return;
        const result = await outcome(() => node.receivePart(deal, ALICE));
        if (result === 'read') {
          expect(rosterOf(deal.header)).toBe(rosterOf(part.header));
          node.state = before;
        } else {
          expect(REFUSALS).toContain(result);
          expect(node.state).toBe(before);
        }
      }),
      effort(RUNS),
    );
    expect(toHex(encodeState(node.state ?? {}))).toBe(stored);
    expect(node.receivePart(part, ALICE)).toMatchObject({ epoch: 2 });
  });
});

test('GRP-5: receiveEcho keeps the first deal of an epoch that a node names, and few of them', () => {
  const said = fc.record({
    epoch: fc.nat({ max: 3 }),
    dealHash: fc.nat({ max: 2 }).map((n) => Uint8Array.of(n)),
    givenUp: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.array(said, { maxLength: 50 }), { minLength: 2, maxLength: 5 }), (echoes) => {
      let book = receiveEcho(new Map(), 'n1', []);
      for (const echo of echoes) {
        const before = book.get('n1') ?? [];
        book = receiveEcho(book, 'n1', echo);
        const after = book.get('n1') ?? [];
        expect(after.length).toBeLessThanOrEqual(MAX_STOOD_BY + MAX_GIVEN_UP);
        for (const { epoch, dealHash } of after) {
          const first = before.find((deal) => deal.epoch === epoch);
          expect(first?.dealHash ?? dealHash).toEqual(dealHash);
        }
      }
    }),
    effort(RUNS),
  );
});

describe('what a node stored of a group', () => {
  const changes = { vacated: [1, 4], taken: [{ place: 1, deviceId: ALICE }] };

  test('decodeRosterChanges reads what was written, and reads or refuses the rest', async () => {
    const valid = encodeRosterChanges(changes);
    expect(decodeRosterChanges(valid)).toEqual(changes);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated([valid])), async (bytes) => {
        expect(['read', 'BAD_ENCODING']).toContain(await outcome(() => decodeRosterChanges(bytes)));
      }),
      effort(RUNS),
    );
  });

  test('decodeGroupRow reads what was written, and reads or refuses the rest', async () => {
    const [node] = groupNodes(3, 2);
    node?.receive(dealOn(undefined, ['n1', 'n2', 'n3'], 2, { added: [ALICE, BOB] }));
    if (!node?.state) throw new Error('the node has a pending deal');
    const row = { group: node.state, step: 0, sinceMs: 5, pendingSinceMs: 4 };
    const valid = encodeGroupRow(row);
    expect(encodeGroupRow(decodeGroupRow(valid.slice()))).toEqual(valid);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated([valid])), async (bytes) => {
        expect(['read', 'BAD_ENCODING']).toContain(await outcome(() => decodeGroupRow(bytes.slice())));
      }),
      effort(RUNS),
    );
  });

  test('readRoster reads pages, and reads or refuses the rest', async () => {
    const page = new Uint8Array(64 * 32);
    page.set(ALICE, 0);
    page.set(BOB, 3 * 32);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant(page), mutated([page])), async (value) => {
        const store = openMemoryStore();
        await store.commit([{ key: rosterPageRow(GROUP, 0), value }]);
        const read = await outcome(async () => readRoster(store, GROUP));
        expect(toHex(value) === toHex(page) ? ['read'] : ['read', 'BAD_ENCODING', 'BAD_ROSTER']).toContain(
          read,
        );
        await store.close();
      }),
      effort(60),
    );
  });
});

describe('members and groups as texts', () => {
  const ids = [ALICE, BOB, CAROL].map(toBase32);
  const text = fc.oneof(
    fc.constantFrom(...ids),
    fc.string(),
    fc.constantFrom(...ids).map((id) => id.slice(1)),
    fc.constantFrom(...ids).map((id) => `${id.slice(0, -1)}1`),
  );

  test('parseMembers takes device ids, each once', async () => {
    expect(parseMembers(ids)).toEqual([ALICE, BOB, CAROL]);
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (texts) => {
        const read = await outcome(() => parseMembers(texts));
        const isClean = texts.every((one) => ids.includes(one)) && new Set(texts).size === texts.length;
        expect(isClean ? ['read'] : ['BAD_PEER', 'MEMBER_TWICE']).toContain(read);
      }),
      effort(RUNS),
    );
  });

  test('parseGroupId takes 32 hexadecimal digits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.uint8Array({ maxLength: 18 }).map(toHex)),
        async (candidate) => {
          const isId = /^[0-9a-f]{32}$/.test(candidate);
          expect(await outcome(() => parseGroupId(candidate))).toBe(isId ? 'read' : 'GROUP_UNKNOWN');
        },
      ),
      effort(RUNS),
    );
  });

  test('readMembers takes a file of device ids, one a line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'symmetra-members-'));
    const membersFile = join(folder, 'members');
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (lines) => {
        await writeFile(membersFile, lines.join('\n'));
        const written = lines
          .join('\n')
          .split('\n')
          .map((line) => line.trim());
        const isClean = written.every((line) => line === '' || ids.includes(line));
        const read = await outcome(async () => readMembers({ membersFile }));
        expect(read).toBe(isClean ? 'read' : 'BAD_PEER');
      }),
      effort(60),
    );
    await rm(folder, { recursive: true });
  });
});
