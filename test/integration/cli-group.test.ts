import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, reply } from './cli-inside.js';
import type { Report } from './cli-outcome.js';
import { Bench, Running } from './cli-program.js';

const bench = new Bench();
const NAMES = ['alice', 'bob', 'carol'] as const;
type Name = (typeof NAMES)[number];

let directory: string;
const ids = {} as Record<Name, string>;
const state = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await bench.directory();
  const data = state('net');
  await bench.network(data);
  const { token } = await reply(['token', 'create', '--data', data, '--uses', '3']);
  for (const name of NAMES) {
    const enrol = ['device', 'enrol', '--token', '-', '--state', state(name), '--name', name];
    ids[name] = String((await reply(enrol, { input: String(token) }))['deviceId']);
  }
});
afterAll(async () => bench.end());

describe('symmetra group', () => {
  let alice: Running;
  let carol: Running;
  let first: Report;
  const of = (): readonly string[] => ['--group', String(first['groupId'])];

  it('create makes an epoch that every member holds, and writes its key to a new file', async () => {
    [alice, carol] = await Promise.all([bench.listener(state('alice')), listener('carol')]);
    const members = state('members.txt');
    await writeFile(members, `${ids.bob}\n\n${ids.carol}\n`);
    const out = state('alice.key');
    first = await reply([
      'group',
      'create',
      '--state',
      state('alice'),
      '--members-file',
      members,
      '--out',
      out,
    ]);
    expect(first).toMatchObject({ epoch: 1, members: 3, manager: true, purpose: 'application', out });
    expect(first['groupId']).toMatch(/^[0-9a-f]{32}$/);
    expect(first['fingerprint']).toMatch(/^[0-9a-f]{32}$/);
    const { groupId, epochId, fingerprint } = first;
    const held = { groupId, epoch: 1, epochId, members: 3, fingerprint };
    expect(await carol.event('group')).toMatchObject({ ...held, manager: false });
    expect(await alice.event('group')).toMatchObject(held);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect(await readFile(out)).toHaveLength(32);
  });

  it('listen gives a person the messages, without what moves a cursor, and ends after --count', async () => {
    const bob = new Running(['group', 'listen', '--state', state('bob'), ...of(), '--count', '1']);
    await expect.poll(() => bob.text, { timeout: 60_000 }).toContain('epoch 1, 3 members, fingerprint');
    const sent = await reply(['group', 'send', '--state', state('alice'), ...of()], {
      input: 'hello\u001B[2J\n',
    });
    expect(sent).toMatchObject({ groupId: first['groupId'], epoch: 1, bytes: 10 });
    const { code, stdout } = await bob.ended;
    expect(code).toBe(0);
    expect(stdout).toContain(`, ${ids.alice}: hello\\u{1b}[2J\n`);
    expect(await carol.event('groupMessage')).toMatchObject({
      groupId: first['groupId'],
      epoch: 1,
      sender: ids.alice,
      text: 'hello\u001B[2J\n',
    });
  });

  it('show and list tell the same of it at every member, also when nothing listens', async () => {
    const out = state('bob.key');
    const shown = await reply(['group', 'show', '--state', state('bob'), ...of(), '--out', out]);
    const { fingerprint, epochId } = first;
    expect(shown).toMatchObject({ epoch: 1, epochId, members: 3, fingerprint, manager: false });
    expect(await readFile(out)).toEqual(await readFile(state('alice.key')));
    const { groups } = await reply(['group', 'list', '--state', state('alice')]);
    expect(groups).toMatchObject([{ groupId: first['groupId'], epochId, fingerprint, manager: true }]);
  });

  it.each<[string, Name, readonly string[], string]>([
    ['a member again', 'alice', ['add', '--members', 'carol'], 'MEMBER_TWICE'],
    ['one who is not there', 'alice', ['remove', '--members', 'nobody'], 'MEMBER_UNKNOWN'],
    ['a change by one who is no manager', 'carol', ['remove', '--members', 'bob'], 'GROUP_NOT_MANAGER'],
  ])('refuses %s', async (_, name, [change = '', option = '', who = ''], code) => {
    const id = who in ids ? ids[who as Name] : 'a'.repeat(52);
    const args = ['group', change, '--state', state(name), ...of(), option, id];
    expect(await refusal(args)).toMatchObject({ exit: 1, code });
  });

  it('does not know a group that there is not', async () => {
    const args = ['group', 'show', '--state', state('alice'), '--group', '0'.repeat(32)];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'GROUP_UNKNOWN' });
  });

  it('remove puts a device out; a member that was away gets the new epoch when it is back', async () => {
    const args = ['group', 'remove', '--state', state('alice'), ...of(), '--members', ids.carol];
    const second = await reply(args);
    expect(second).toMatchObject({ epoch: 2, members: 2 });
    expect(second['fingerprint']).not.toBe(first['fingerprint']);
    expect(await carol.event('groupEnded')).toMatchObject({ groupId: first['groupId'], reason: 'removed' });
    const bob = await listener('bob');
    const caughtUp = await bob.event('group', ({ epoch }) => epoch === 2);
    expect(caughtUp).toMatchObject({ epochId: second['epochId'], fingerprint: second['fingerprint'] });
    await bob.end();
  });

  it('leave is followed by an epoch without the device', async () => {
    const left = await reply(['group', 'leave', '--state', state('bob'), ...of()]);
    expect(left).toMatchObject({ groupId: first['groupId'], members: 2, left: true });
    expect(left['epochId']).toMatch(/^[0-9a-f]{64}$/);
    expect(await alice.event('group', ({ epoch }) => Number(epoch) > 2)).toMatchObject({ members: 1 });
    expect(await reply(['group', 'list', '--state', state('bob')])).toEqual({ groups: [] });
  });

  async function listener(name: Name): Promise<Running> {
    const running = bench.start(['group', 'listen', '--state', state(name)]);
    await running.event('listening');
    return running;
  }
});
