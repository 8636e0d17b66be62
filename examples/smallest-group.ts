import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { enrol } from '@symmetra/sdk';
import type { DeviceEvents } from '@symmetra/sdk';

// Three one-time tokens, one a line; the states of the three devices go into the folder that is named second.
const [tokens = 'tokens.txt', states = 'states'] = process.argv.slice(2);
const [a = '', b = '', c = ''] = readFileSync(tokens, 'utf8').trim().split('\n');

const alice = await enrol({ token: a, state: `${states}/alice`, name: 'alice' });
const bob = await enrol({ token: b, state: `${states}/bob`, name: 'bob' });
const carol = await enrol({ token: c, state: `${states}/carol`, name: 'carol' });
await Promise.all([alice, bob, carol].map(async (device) => device.connect()));

// One key for the three of them, and at no node. Bob and Carol get it without asking.
const joined = [bob, carol].map(async (device) => (await once(device, 'group')) as DeviceEvents['group']);
const { groupId, fingerprint } = await alice.group.create({ members: [bob.id, carol.id] });
for (const [group] of await Promise.all(joined)) console.log(fingerprint, group.fingerprint);

// A message for all of them.
const heard = once(carol, 'groupMessage') as Promise<DeviceEvents['groupMessage']>;
await bob.group.send(groupId, Buffer.from('hello'));
const [{ plaintext }] = await heard;
console.log('carol heard:', Buffer.from(plaintext).toString());

// Carol is put out: the next epoch has a key that she can not learn.
const next = await alice.group.remove(groupId, [carol.id]);
console.log('epoch', next.epoch, 'with', next.members, 'members');
await Promise.all([alice.close(), bob.close(), carol.close()]);
