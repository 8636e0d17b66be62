import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '@symmetra/testing';
import type { ClusterWorld } from './cluster-world.js';
import type { Member } from './fleet-member.js';

const TURNS = 8;
/** What was opened anew gets its time: who is late takes steps with peers that are late, too. */
const LOOKS = 40;
const PAUSE_MS = 250;

/**
 * Brings everything that was begun to its end once all parts are back: who is revoked is refused, everybody else takes
 * a step and agrees on a key at all nodes, and the nodes tell what they know.
 */
export async function finishPairs(world: ClusterWorld, prng: Prng): Promise<void> {
  const living = world.members.filter(({ isRevoked }) => !isRevoked);
  const names = new Set(living.map(({ name }) => name));
  await untilNobody(() => living.filter(({ isWhole }) => !isWhole), 'is on its way');
  await untilNobody(() => living.filter((one) => one.unfinished().some((peer) => names.has(peer))), 'waits');
  await world.control.submit(
    { kind: 'key-revoke', keyId: prng.bytes(16), reason: 'the last event' },
    world.cluster.nodeIds,
    3,
  );
  for (const member of world.members) {
    if (member.isRevoked) await refuse(member, prng.pick(living));
  }
  for (const [i, member] of living.entries()) {
    await stepEverywhere(member);
    await lastKey(world, member, living[(i + 1) % living.length] ?? member);
  }
  for (const member of world.members) member.noteHoldings();
  await world.control.look(world.names);
}

/** Waits; pauses between attempts grow long meanwhile, so who is late is opened anew. */
async function untilNobody(late: () => readonly Member[], what: string): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    for (let look = 0; look < LOOKS && late().length > 0; look++) await sleep(PAUSE_MS);
    if (late().length === 0) return;
    for (const member of late()) await member.drop(async () => undefined);
  }
  throw new Error(
    `${late()
      .map(({ name }) => name)
      .join(', ')} ${what}`,
  );
}

/** Steps until each node has taken one. */
async function stepEverywhere(member: Member): Promise<void> {
  const before = member.device.status().epochs;
  for (let attempt = 0; attempt < TURNS; attempt++) {
    await member.ratchet();
    const after = Object.entries(member.device.status().epochs);
    if (after.length === 3 && after.every(([node, epoch]) => epoch > (before[node] ?? 0))) return;
    await sleep(PAUSE_MS);
  }
  throw new Error(`${member.name} takes no step everywhere: ${JSON.stringify(member.device.status())}`);
}

async function lastKey({ devices }: ClusterWorld, one: Member, other: Member): Promise<void> {
  const key = await one.device.negotiate(other.id, { threshold: 'all' });
  devices.note(one.name, { kind: 'last', peer: other.name, keyId: key.keyId });
}

async function refuse(member: Member, other: Member): Promise<void> {
  await member.noteRefusal('negotiate', async () => member.device.negotiate(other.id), other);
  await member.noteRefusal('ratchet', async () => member.device.ratchet());
  await member.noteRefusal('be negotiated with', async () => other.device.negotiate(member.id), other);
}
