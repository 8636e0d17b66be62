import { readFileSync } from 'node:fs';
import { enrol } from '@symmetra/sdk';

// Two one-time tokens, one a line; the states of the two devices go into the folder that is named second.
const [tokens = 'tokens.txt', states = 'states'] = process.argv.slice(2);
const [tokenA = '', tokenB = ''] = readFileSync(tokens, 'utf8').trim().split('\n');

const alice = await enrol({ token: tokenA, state: `${states}/alice`, name: 'alice' });
const bob = await enrol({ token: tokenB, state: `${states}/bob`, name: 'bob' });
await Promise.all([alice.connect(), bob.connect()]);
await bob.listen();

// A key for the application: the same 32 bytes at both ends, and at no node.
const key = await alice.negotiate(bob.id, { purpose: 'telemetry' });
if (key.state === 'pending') throw new Error('bob has not answered yet');
console.log('alice', key.fingerprint, 'through', key.nodes.join(' and '));
console.log('bob  ', bob.key(key.keyId).fingerprint);

// Or a channel under a key of its own: TLS 1.3 without certificates.
bob.on('channel', (channel) =>
  channel.on('data', (data: Buffer) => channel.end(`bob heard: ${String(data)}`)),
);
const channel = await alice.openChannel(bob.id);
channel.write('hello');
for await (const answer of channel) console.log(String(answer));

await Promise.all([alice.close(), bob.close()]);
