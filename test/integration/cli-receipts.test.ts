import { join } from 'node:path';
import { SymmetraError, sha256 } from '@symmetra/crypto';
import { decodeEvent } from '@symmetra/protocol';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeNetwork } from './cli-fake-nodes.js';
import type { FakeNode } from './cli-fake-nodes.js';
import { refusal, reply, symmetra } from './cli-inside.js';
import { Bench } from './cli-program.js';

/* How the administrator's commands behave towards nodes that are slow, behind, down or dishonest. */

const bench = new Bench();
let data = '';
let nodes: readonly [FakeNode, FakeNode, FakeNode];

beforeEach(async () => {
  data = join(await bench.directory(), 'network');
  nodes = await fakeNetwork(data);
  // The first event of a network is its policy: it is in force by now.
  for (const node of nodes) node.head = { number: 1, hash: sha256(Uint8Array.of(1)) };
});
afterEach(async () => {
  await Promise.all(nodes.map(async (node) => node.stop()));
});
afterAll(async () => bench.end());

const create = (): string[] => ['token', 'create', '--data', data];
const revoke = (): string[] => ['admin', 'device', 'revoke', 'a'.repeat(52), '--data', data];
const refuse = (code: string) => async (): Promise<void> => {
  throw new SymmetraError(code, 'the test says so');
};
const missing = [
  { node: 'node-1', applied: true },
  { node: 'node-2', applied: true },
  { node: 'node-3', applied: false, code: 'BUS_TIMEOUT' },
];

describe('receipts', () => {
  it('that are missing are listed, and a token that k nodes know is good', async () => {
    nodes[0].receipts = missing;
    const { code, stdout, stderr } = await symmetra([...create(), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ receipts: missing });
    expect(stderr).toMatch(/^\{"warning":\{"code":"RECEIPTS_MISSING","message":".*node-3.*"\}\}\n$/);
  });

  it('of nodes that a node does not mention are missing', async () => {
    nodes[0].receipts = missing.slice(0, 2);
    const { receipts } = await reply(create());
    expect(receipts).toEqual([
      ...missing.slice(0, 2),
      { node: 'node-3', applied: false, code: 'NO_RECEIPT' },
    ]);
  });

  it('make a revocation done: without one of them it is not', async () => {
    nodes[0].receipts = missing;
    const { code, stdout } = await symmetra([...revoke(), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ revoked: false, receipts: missing });
    expect(await refusal(revoke())).toMatchObject({ exit: 1, code: 'RECEIPTS_MISSING' });
  });
});

describe('an event', () => {
  it('goes to the node with the longest log, and follows its head', async () => {
    const head = { number: 7, hash: sha256(Uint8Array.of(7)) };
    nodes[1].head = head;
    await reply(create());
    expect(nodes.map((node) => node.submitted.length)).toEqual([0, 1, 0]);
    const event = decodeEvent(nodes[1].submitted[0] ?? new Uint8Array(0));
    expect(event).toMatchObject({ number: 8, previousHash: head.hash });
  });

  it('is made anew when others were faster', async () => {
    const [node] = nodes;
    node.beforeSubmit = async () => {
      node.beforeSubmit = async () => undefined;
      node.head = { number: 2, hash: sha256(Uint8Array.of(2)) };
      await refuse('LOG_BROKEN')();
    };
    await reply(create());
    expect(node.submitted.map((event) => decodeEvent(event).number)).toEqual([2, 3]);
  });

  it('is sent again with the same bytes when nobody knows whether it arrived', async () => {
    const [node] = nodes;
    node.beforeSubmit = async () => {
      node.beforeSubmit = async () => undefined;
      await refuse('NODE_STALE')();
    };
    await reply(create());
    expect(node.submitted).toHaveLength(2);
    expect(node.submitted[1]).toEqual(node.submitted[0]);
  });

  it('is given up after a while when others are always faster', async () => {
    nodes[0].beforeSubmit = refuse('LOG_BROKEN');
    expect(await refusal(create())).toMatchObject({ exit: 1, code: 'LOG_BUSY' });
    expect(nodes[0].submitted.length).toBeGreaterThan(1);
  });

  it('that forks the log is told and never tried again', async () => {
    nodes[0].beforeSubmit = refuse('LOG_FORK');
    expect(await refusal(create())).toMatchObject({ exit: 1, code: 'LOG_FORK' });
    expect(nodes[0].submitted).toHaveLength(1);
  });
});

describe('nodes', () => {
  it('that are down beyond the threshold are told, and nothing is signed', async () => {
    await nodes[0].stop();
    expect(await reply(create())).toMatchObject({ token: expect.any(String) });
    await nodes[1].stop();
    expect(await refusal(create())).toMatchObject({ exit: 1, code: 'NODES_UNREACHABLE' });
    expect(nodes[2].submitted).toHaveLength(0);
  });

  it('that answer with a signature that is not theirs are not believed, and hold up nothing alone', async () => {
    nodes[0].forges = true;
    expect(await reply(create())).toMatchObject({ token: expect.any(String) });
    expect(nodes.map((node) => node.submitted.length)).toEqual([0, 1, 0]);
    nodes[1].forges = true;
    expect(await refusal(create())).toMatchObject({ exit: 1, code: 'BAD_SIGNATURE' });
  });
});
