import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, reply } from './cli-inside.js';
import type { Report } from './cli-outcome.js';
import { Bench, reply as programReply } from './cli-program.js';
import type { Running } from './cli-program.js';

/*
 * The real programs, killed with SIGKILL at random moments and started again. SYMMETRA_SEED=N repeats the moments of
 * a run, as far as a machine can repeat them.
 */

const seed = process.env['SYMMETRA_SEED'] ?? `${Date.now() % 1_000_000}`;
const ROUNDS = 3;
const ATTEMPTS = 4;
/** Before this part of a command's time, its process is still loading the program. */
const LOADING = 0.4;
const SOONER = 0.7;

const bench = new Bench();
let directory = '';
let data = '';
let network: Running;
/**
 * Milliseconds that the process of a command which talks to the nodes takes on this machine now; less, once one had ended
 * before its moment came.
 */
let duration = 0;
let killed = 0;

beforeAll(async () => {
  directory = await bench.directory();
  data = join(directory, 'network');
  network = await bench.network(data);
  await bench.device(data, state('measured'), 'measured');
  const began = performance.now();
  await programReply(['device', 'ratchet', '--state', state('measured')]);
  duration = performance.now() - began;
});
afterAll(async () => bench.end());

/** A moment of one round, the same for the same seed. */
function moment(name: string): number {
  const [first = 0, second = 0] = createHash('sha256').update(`${seed} ${name}`).digest();
  return (LOADING + (1 - LOADING) * ((first * 256 + second) / 65_536)) * duration;
}

/** Kills a command in the middle of whatever it does. */
async function killAt(args: readonly string[], name: string, input?: string): Promise<void> {
  const running = bench.start(args, input === undefined ? {} : { input });
  await sleep(moment(name));
  const { signal } = await running.end('SIGKILL');
  if (signal === 'SIGKILL') killed += 1;
  else duration *= SOONER;
}

/** Kills the network in the middle of a command, and starts it again. */
async function killNetworkDuring(args: readonly string[], name: string, input?: string): Promise<void> {
  const running = bench.start(args, input === undefined ? {} : { input });
  await sleep(moment(name));
  await network.end('SIGKILL');
  network = await bench.network(data);
  await running.end('SIGKILL');
}

/** Repeats a command until it succeeds, a few times at most. */
async function eventually(args: readonly string[], input?: string): Promise<Report> {
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await reply(args, input === undefined ? {} : { input });
    } catch (error) {
      failure = error;
      await sleep(500);
    }
  }
  throw new Error(`seed ${seed}: the command never succeeded`, { cause: failure });
}

const state = (name: string): string => join(directory, name);
const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
const token = async (): Promise<string> =>
  String((await reply(['token', 'create', '--data', data]))['token']);

/** Finishes what is under way and takes a ratchet step at every node, for which each must share an epoch with the device. */
async function ratcheted(path: string): Promise<{ before: Report; after: Report }> {
  const before = await reply(['device', 'status', '--state', path]);
  await eventually(['device', 'ratchet', '--state', path]);
  const after = await eventually(['device', 'ratchet', '--state', path]);
  return { before: before['epochs'] as Report, after: after['epochs'] as Report };
}

/** What the epochs of three nodes are after a step. A node may have been a step ahead. */
const moved = (before: Report): unknown =>
  Object.fromEntries(
    ['node-1', 'node-2', 'node-3'].map((node) => [
      node,
      expect.toSatisfy((epoch: unknown) => Number(epoch) > Number(before[node] ?? 0)),
    ]),
  );

const kills = [
  { whom: 'the device', kill: killAt },
  { whom: 'the network', kill: killNetworkDuring },
];

describe.each(kills)('SIGKILL of $whom', ({ whom, kill }) => {
  it.each([0, 1])('during enrol: the same command completes it, round %i', async (round) => {
    const name = `${whom} enrol ${round}`;
    const text = await token();
    const args = ['device', 'enrol', '--token', '-', '--state', state(name), '--name', 'carol'];
    await kill(args, name, text);
    expect(await eventually(args, text)).toMatchObject({ deviceId: expect.any(String), stage: 'production' });
    const { before, after } = await ratcheted(state(name));
    expect(after, `seed ${seed}`).toEqual(moved(before));
  });

  it('during ratchet: the next step succeeds at every node', async () => {
    const path = state(`${whom} ratchet`);
    await bench.device(data, path, 'dave');
    const args = ['device', 'ratchet', '--state', path];
    for (const round of rounds) await kill(args, `${whom} ratchet ${round}`);
    const { before, after } = await ratcheted(path);
    expect(after, `seed ${seed}`).toEqual(moved(before));
  });

  it('during negotiate: the next key is agreed, and no key is known at one end under another fingerprint', async () => {
    const [alice, bob] = [state(`${whom} alice`), state(`${whom} bob`)];
    const bobId = await bench.device(data, bob, 'bob');
    await bench.device(data, alice, 'alice');
    const listener = await bench.listener(bob);
    const args = ['key', 'negotiate', '--state', alice, '--peer', bobId];
    for (const round of rounds) await kill(args, `${whom} negotiate ${round}`);
    const key = await eventually(args);
    await listener.event('key', (event) => event['keyId'] === key['keyId']);
    const keysOf = async (path: string): Promise<Map<unknown, unknown>> => {
      const { keys } = (await reply(['key', 'list', '--state', path])) as unknown as { keys: Report[] };
      return new Map(keys.map((one) => [one['keyId'], one['fingerprint']]));
    };
    const [mine, theirs] = [await keysOf(alice), await keysOf(bob)];
    expect(mine.get(key['keyId']), `seed ${seed}`).toBe(theirs.get(key['keyId']));
    const different = [...mine].filter(
      ([id, print]) => theirs.has(id) && print && theirs.get(id) && theirs.get(id) !== print,
    );
    expect(different, `seed ${seed}`).toEqual([]);
    await listener.end();
  });
});

describe('the kills', () => {
  it('hit commands that were under way', () => {
    expect(killed).toBeGreaterThan(0);
  });
});

describe('SIGKILL of a peer that listens', () => {
  it('leaves the key pending, which is completed when the peer is back', async () => {
    const [erin, frank] = [state('erin'), state('frank')];
    const frankId = await bench.device(data, frank, 'frank');
    await bench.device(data, erin, 'erin');
    const first = await bench.listener(frank);
    const owner = await bench.listener(erin);
    await first.end('SIGKILL');
    const { keyId } = await reply(['key', 'negotiate', '--state', erin, '--peer', frankId, '--wait', '0']);
    const second = await bench.listener(frank);
    const seen = await second.event('key', (event) => event['keyId'] === keyId);
    const mine = await owner.event('key', (event) => event['keyId'] === keyId);
    expect(mine['fingerprint']).toBe(seen['fingerprint']);
    await second.end();
    await owner.end();
  });
});

describe('a process that died', () => {
  it('leaves its state free for the next one', async () => {
    const path = state('grace');
    await bench.device(data, path, 'grace');
    const listener = await bench.listener(path);
    expect(await refusal(['device', 'listen', '--state', path])).toMatchObject({
      exit: 1,
      code: 'STATE_IN_USE',
    });
    await listener.end('SIGKILL');
    const next = await bench.listener(path);
    expect(await reply(['device', 'status', '--state', path])).toMatchObject({ home: expect.any(String) });
    expect(await next.end()).toMatchObject({ code: 0 });
  });
});

describe('a signal', () => {
  let [path, ivan] = ['', ''];

  beforeAll(async () => {
    path = state('heidi');
    ivan = await bench.device(data, state('ivan'), 'ivan');
    await bench.device(data, path, 'heidi');
  });

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)('$signal ends a command that is under way with exit code $code', async ({ signal, code }) => {
    const running = bench.start(['key', 'negotiate', '--state', path, '--peer', ivan, '--wait', '5m']);
    await sleep(2 * duration);
    expect(await running.end(signal)).toMatchObject({ code, stdout: '' });
    expect(await reply(['device', 'status', '--state', path])).toMatchObject({ stage: 'production' });
  });
});
