import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program, Prng } from '@symmetra/testing';
import type { ClusterWorld } from './cluster-world.js';

/** What is done to every part. */
export const FAULTS = ['kill', 'freeze', 'restart'] as const;

const START_ATTEMPTS = 10;
/** How long a part stands still, or is gone. */
const STILL_MS = [1200, 2400] as const;
const LOOKS = 100;
const LOOK_MS = 100;
const STORE_FULL = '"code":"STORE_FULL"';
const DOWN_MS = [0, 1000] as const;

/** A part of a cluster: what fails together. */
export interface Part {
  readonly name: string;
  readonly programs: readonly Program[];
}

/** The parts of a cluster whose first node is two processes. */
export function partsOf({ cluster }: ClusterWorld): {
  readonly nodes: readonly Part[];
  readonly engines: readonly Part[];
} {
  const nodes = cluster.nodeIds.map((name) => ({ name, programs: cluster.replicas(name) }));
  const engines = [cluster.nats, ...(cluster.redis === undefined ? [] : [cluster.redis])];
  return {
    nodes: [...nodes, { name: 'replica', programs: [cluster.node('node-1', 1)] }],
    engines: engines.map((program) => ({ name: program.name, programs: [program] })),
  };
}

/** Does every fault to every part, one after the other in an order of the seed, with a while of peace between. */
export async function faultsOf(
  world: ClusterWorld,
  prng: Prng,
  parts: readonly Part[],
  peaceMs: number,
): Promise<void> {
  const plan = shuffled(
    prng,
    parts.flatMap((part) => FAULTS.map((fault) => ({ part, fault }))),
  );
  for (const { part, fault } of plan) {
    world.events.note(part.name, { kind: 'fault', part: part.name, fault });
    await inflict(world, prng, part, fault);
    world.occurrences.note(`${fault} ${part.name}`);
    await sleep(peaceMs);
  }
}

async function inflict(world: ClusterWorld, prng: Prng, { programs }: Part, fault: string): Promise<void> {
  // Two faults may meet at one process: what is down already stays so until it is started.
  const running = programs.filter(({ isRunning }) => isRunning);
  if (fault === 'freeze') {
    for (const program of running) program.pause();
    await sleep(prng.between(...STILL_MS));
    for (const program of running) program.resume();
    return;
  }
  await Promise.all(running.map(async (program) => (fault === 'kill' ? program.kill() : program.stop())));
  if (fault === 'kill') await sleep(prng.between(...DOWN_MS));
  await Promise.all(programs.map(async (program) => start(world, program)));
}

/** Redis takes nothing more until a process of its node has said so; then it has room again. */
export async function fillRedis(world: ClusterWorld): Promise<void> {
  const { cluster, events, occurrences } = world;
  events.note('redis', { kind: 'fault', part: 'redis', fault: 'fill' });
  const isNoticed = (): boolean => cluster.replicas('node-1').some(({ log }) => log.includes(STORE_FULL));
  await setRoom(world, 1);
  for (let look = 0; look < LOOKS && !isNoticed(); look++) await sleep(LOOK_MS);
  await setRoom(world, 0);
  if (isNoticed()) occurrences.note('STORE_FULL');
}

/** @param bytes that Redis may use; 0 when it has no bound */
async function setRoom({ cluster }: ClusterWorld, bytes: number): Promise<void> {
  const socket = createConnection(cluster.ports.redis, '127.0.0.1');
  socket.end(`CONFIG SET maxmemory ${bytes}\r\n`);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  if (!reply.toString().startsWith('+OK')) throw new Error(`Redis said: ${reply.toString()}`);
}

/** As whoever looks after a program does: one that ends is started again. */
async function start({ occurrences }: ClusterWorld, program: Program): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await program.start();
      return;
    } catch (error) {
      occurrences.note(`start again: ${program.name}`);
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

function shuffled<T>(prng: Prng, items: readonly T[]): readonly T[] {
  const rest = [...items];
  return items.map(() => rest.splice(prng.below(rest.length), 1)[0] as T);
}
