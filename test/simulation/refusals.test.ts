import { Occurrences, World } from '@symmetra/testing';
import type { DeviceMachine } from '@symmetra/testing';
import type { Device } from '@symmetra/sdk';
import { expect, test } from 'vitest';

/* PAIR-7: a refusal that is lost on the way is sent again, until the initiator is there to take it. */

const TASK_MS = 30_000;

/** Two devices, one of which forgot the other and begins anew; what it gets is a refusal. */
async function scene(seed: string) {
  const world = await World.create({
    seed,
    nodes: 3,
    threshold: 2,
    snapshotEvery: 1024,
    occurrences: new Occurrences(),
  });
  const { text, body } = world.administrator.issueToken({ uses: 2 });
  await world.settled(TASK_MS, world.administrator.submit(body));
  const open = async (machine: DeviceMachine): Promise<Device> => {
    const device = await world.settled(TASK_MS, machine.start());
    await world.settled(TASK_MS, device.connect());
    return device;
  };
  const [asking, refusing] = [world.addDevice('asking', text), world.addDevice('refusing', text)];
  const [alice, bob] = [await open(asking), await open(refusing)];
  await world.timeline.pass(5000);
  await world.settled(TASK_MS, alice.negotiate(bob.id));
  await world.settled(TASK_MS, alice.forget(bob.id));
  const warned: string[] = [];
  alice.on('warning', ({ code }) => warned.push(code));
  const { keyId } = await world.settled(TASK_MS, alice.negotiate(bob.id, { wait: 0 }));
  const isRefused = (): boolean =>
    world.log.some((line) => line.includes('A key was refused.') && line.includes(keyId));
  await world.timeline.pass(TASK_MS, isRefused);
  // Nothing reaches the one who asks from here on, what is on its way included.
  for (const node of world.nodeIds) world.lines.cut('asking', node);
  return { world, refusing, open, alice, warned };
}

test('PAIR-7: a refusal reaches an initiator that was out of reach for half a minute', async () => {
  const { world, alice, warned } = await scene('refusals/1');
  await world.timeline.pass(30_000);
  expect(alice.keys()).toHaveLength(1);
  world.lines.mend();
  await world.timeline.pass(120_000);
  expect(alice.keys()).toEqual([]);
  expect(warned).toEqual(['CONTINUITY_REQUIRED']);
});

test('PAIR-7: also when the process that refused is no more', async () => {
  const { world, refusing, open, alice, warned } = await scene('refusals/2');
  // By then the nodes know that the shares are not needed any more.
  await world.timeline.pass(1000);
  refusing.crash();
  await world.timeline.pass(30_000);
  await open(refusing);
  world.lines.mend();
  await world.timeline.pass(120_000);
  expect(alice.keys()).toEqual([]);
  expect(warned).toEqual(['CONTINUITY_REQUIRED']);
});
