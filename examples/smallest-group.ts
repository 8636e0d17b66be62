import { readFileSync } from 'node:fs';
import { enrol } from '@symmetra/sdk';
import type { GroupInfo, GroupMessage } from '@symmetra/sdk';

// Three one-time tokens, one a line; the states of the three devices go into the folder that is named second.
const [tokens = 'tokens.txt', states = 'states'] = process.argv.slice(2);
const [a = '', b = '', c = ''] = readFileSync(tokens, 'utf8').trim().split('\n');

const alice = await enrol({ token: a, state: `${states}/alice`, name: 'alice' });
const bob = await enrol({ token: b, state: `${states}/bob`, name: 'bob' });
const carol = await enrol({ token: c, state: `${states}/carol`, name: 'carol' });
await Promise.all([alice, bob, carol].map(async (device) => device.connect()));

// One key for the three of them, and at no node. Bob and Carol get it without asking.
const joined = [bob, carol].map(
  async (device) => new Promise<GroupInfo>((done) => device.once('group', done)),
);
const { groupId, fingerprint } = await alice.group.create({ members: [bob.id, carol.id] });
for (const group of await Promise.all(joined)) console.log(fingerprint, group.fingerprint);

// A message for all of them.
const heard = new Promise<GroupMessage>((done) => carol.once('groupMessage', done));
await bob.group.send(groupId, Buffer.from('hello'));
console.log('carol heard:', Buffer.from((await heard).plaintext).toString());

// Carol is put out: the next epoch has a key that she can not learn.
const { epoch, members } = await alice.group.remove(groupId, [carol.id]);
console.log('epoch', epoch, 'with', members, 'members');
await Promise.all([alice.close(), bob.close(), carol.close()]);
