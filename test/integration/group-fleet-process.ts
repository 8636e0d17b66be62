import { join } from 'node:path';
import { Prng } from '@symmetra/testing';
import { GroupHistory } from './group-fleet-history.js';
import { GroupMember } from './group-fleet-member.js';
import type { Household } from './group-fleet-member.js';
import { codeOf, textOf } from './group-fleet-orders.js';
import type { Order, OrderAnswer, SentOrder } from './group-fleet-orders.js';

// Some members of the fleet in a process of their own, which is killed at any moment.

const [folder = '', processName = ''] = process.argv.slice(2);
const household: Household = {
  folder: join(folder, 'devices'),
  history: new GroupHistory(join(folder, 'histories'), processName),
  process: processName,
};
const members = new Map<string, GroupMember>();
const prng = new Prng(processName);
let talking: NodeJS.Timeout | undefined;

function member(name: string): GroupMember {
  const found = members.get(name);
  if (found === undefined) throw new Error(`there is no ${name} in this process`);
  return found;
}

async function carryOut(order: Order): Promise<unknown> {
  switch (order.task) {
    case 'enrol': {
      const enrolled = await GroupMember.enrol(household, order.name, order.token);
      members.set(order.name, enrolled);
      return enrolled.device.id;
    }
    case 'open':
      await Promise.all(
        order.names.map(async (name) => members.set(name, await GroupMember.open(household, name))),
      );
      return undefined;
    case 'create': {
      const { task, name, members: others, managers } = order;
      const created = member(name).perform(task, async ({ group }) =>
        group.create({ members: others, managers }),
      );
      return (await created).groupId;
    }
    case 'add':
    case 'remove': {
      const { task, name, groupId, members: whom } = order;
      return (await member(name).perform(task, async ({ group }) => group[task](groupId, whom))).epoch;
    }
    case 'rotate':
    case 'leave': {
      const { task, name, groupId } = order;
      await member(name).perform<unknown>(task, async ({ group }) => group[task](groupId));
      return undefined;
    }
    case 'seal':
      return member(order.name).seal(order.groupId);
    case 'open-message':
      return Promise.all(
        [...members.values()].map(async (one) => one.open(order.message).then(() => 'ok', codeOf)),
      );
    case 'talk':
      clearInterval(talking);
      talking = setInterval(() => void talk(order.groupId), order.everyMs);
      return undefined;
    case 'hush':
      clearInterval(talking);
      return undefined;
    case 'finish':
      return member(order.name).finish(order.groupId);
    case 'standings':
      return {
        late: [...members.values()].filter(({ isWhole }) => !isWhole).map(({ name }) => name),
        standings: [...members.values()].flatMap((one) => one.standings()),
      };
  }
}

/** A message that can not be sent now is none. */
async function talk(groupId: string): Promise<void> {
  const speaker = prng.pick([...members.values()]);
  await speaker.send(groupId).catch(() => undefined);
}

process.on('message', ({ id, order }: SentOrder) => {
  const answer = (told: OrderAnswer): void => void process.send?.(told);
  carryOut(order).then(
    (value) => answer({ id, value }),
    (error: unknown) => answer({ id, code: codeOf(error), text: textOf(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
