import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupHousehold } from './group-fleet-household.js';

const LOOKS = 240;
const LOOK_PAUSE_MS = 250;

/** Who is to agree. */
export interface Agreeing {
  readonly households: readonly Pick<GroupHousehold, 'names' | 'standings'>[];
  /** Everybody who is in the group; those in other processes are not asked. */
  readonly members: readonly string[];
  /** Devices in these processes that need no home. */
  readonly exempt: ReadonlySet<string>;
}

/**
 * Waits until the members hold one newest epoch, which has all members and nobody else, and everybody is connected.
 * @returns its number
 */
export async function untilAgreed({ households, members, exempt }: Agreeing): Promise<number> {
  const asked = members.filter((name) => households.some(({ names }) => names.includes(name)));
  let late: readonly string[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const told = await Promise.all(households.map(async (household) => household.standings()));
    const standings = new Map(told.flatMap((one) => one.standings.map(({ name, info }) => [name, info])));
    const newest = Math.max(...asked.map((name) => standings.get(name)?.epoch ?? 0));
    const behind = asked.filter((name) => {
      const info = standings.get(name);
      return info?.epoch !== newest || info.members !== members.length || info.suspended;
    });
    const unconnected = told.flatMap((one) => one.late).filter((name) => !exempt.has(name));
    const epochIds = new Set(asked.map((name) => standings.get(name)?.epochId));
    if (behind.length + unconnected.length === 0 && epochIds.size === 1) return newest;
    late = [
      ...behind.map((name) => `${name} in epoch ${standings.get(name)?.epoch}`),
      ...unconnected.map((name) => `${name} without a home`),
      `${epochIds.size} epoch ids`,
    ];
    await sleep(LOOK_PAUSE_MS);
  }
  throw new Error(`${members.length} members never agreed: ${late.join(', ')}`);
}
