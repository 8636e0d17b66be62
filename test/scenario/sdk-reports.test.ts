import { describe, expect, test } from 'vitest';
import { Secret } from '@symmetra/crypto';
import type { CheckedDelivery, Header } from '@symmetra/protocol';
import { ManualClock } from '@symmetra/testing';
import { DeliveryJudge } from '../../packages/sdk/src/pairwise/delivery-judge.js';
import type { Evidence } from '../../packages/sdk/src/pairwise/reports.js';
import { Timers } from '../../packages/sdk/src/timers.js';

const NODES = ['node-1', 'node-2', 'node-3'];
const HASH = new Uint8Array(32).fill(1);
const AGREED = { headerHash: HASH, limits: { lifetimeSeconds: 60, uses: 0 } };
const header = {
  keyId: new Uint8Array(16).fill(2),
  initiator: new Uint8Array(32).fill(3),
  nodes: NODES,
} as unknown as Header;

function delivery(nodeId: string, headerHash = HASH): CheckedDelivery {
  return {
    nodeId,
    place: NODES.indexOf(nodeId) + 1,
    header,
    headerBytes: headerHash,
    headerHash,
    share: Secret.of('Share', new Uint8Array(32)),
    ephemeralKey: new Uint8Array(0),
    granted: AGREED.limits,
  };
}

function scene() {
  const clock = new ManualClock();
  const reported: string[] = [];
  const suspected: string[] = [];
  const judge = new DeliveryJudge({
    reports: { report: ({ node, reason }: Evidence) => reported.push(`${node} ${reason}`) },
    acknowledger: { add: () => undefined },
    connection: () => ({ suspect: (nodes: Iterable<string>) => suspected.push(...nodes) }),
    timers: new Timers(clock),
  } as unknown as ConstructorParameters<typeof DeliveryJudge>[0]);
  return { clock, judge, reported, suspected };
}

describe('PAIR-11 reports', () => {
  const good = [delivery('node-1'), delivery('node-2')];

  test('a node that stays silent, after it had its time', () => {
    const { clock, judge, reported } = scene();
    judge.judge(header, AGREED, good, new Map());
    clock.advance(4999);
    expect(reported).toEqual([]);
    clock.advance(1);
    expect(reported).toEqual(['node-3 DELIVERY_MISSING']);
  });

  test('nobody who is only late', () => {
    const { clock, judge, reported } = scene();
    judge.judge(header, AGREED, good, new Map());
    judge.late(delivery('node-3'), AGREED);
    clock.advance(60_000);
    expect(reported).toEqual([]);
  });

  test('a bad share and another header, whether they came before the quorum or behind it', () => {
    const other = new Uint8Array(32).fill(9);
    const before = scene();
    before.judge.judge(
      header,
      AGREED,
      [delivery('node-1'), delivery('node-2', other)],
      new Map([['node-3', 'SHARE_MISMATCH']]),
    );
    before.clock.advance(60_000);
    expect(before.reported).toEqual(['node-3 SHARE_MISMATCH', 'node-2 HEADER_MISMATCH']);

    const behind = scene();
    behind.judge.judge(header, AGREED, [delivery('node-1')], new Map());
    behind.judge.late(delivery('node-2', other), AGREED);
    behind.judge.bad(header, 'node-3', 'EPHEMERAL_KEY_MISMATCH', HASH);
    behind.clock.advance(60_000);
    expect(behind.reported).toEqual(['node-2 HEADER_MISMATCH', 'node-3 EPHEMERAL_KEY_MISMATCH']);
  });

  test('a node that granted less than the key got, and none that granted more', () => {
    const { judge, reported } = scene();
    judge.judge(header, AGREED, good, new Map());
    judge.late({ ...delivery('node-3'), granted: { lifetimeSeconds: 61, uses: 0 } }, AGREED);
    expect(reported).toEqual([]);
    judge.late({ ...delivery('node-3'), granted: { lifetimeSeconds: 60, uses: 1 } }, AGREED);
    expect(reported).toEqual(['node-3 LIMITS_MISMATCH']);
  });

  test('a node from which nothing follows is asked again before it is reported', () => {
    const { clock, judge, suspected } = scene();
    judge.expect(header, () => ['node-1']);
    clock.advance(1000);
    expect(suspected).toEqual(['node-2', 'node-3']);
  });
});
