import { LOG_PAUSE_MS, MAX_ENTRY_BYTES } from '@symmetra/bus';
import type { LogEntry, LogStream } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import { afterEach, describe, expect, it } from 'vitest';

/** A log under test: nodes join it, its keeper can lose it, time passes. */
export interface LogUnderTest {
  join(): Promise<LogStream>;
  /** The log is lost, and an empty one has its name. */
  recreate(): Promise<void>;
  /** Lets that many milliseconds pass, and what happens meanwhile happen. */
  pass(ms: number): Promise<void>;
}

const LONGEST_WAIT_MS = 10_000;
const LOOK_MS = 20;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (entry: LogEntry): string => new TextDecoder().decode(entry.data);

/** The suite that every implementation of the log passes. */
export function describeLogStream(name: string, create: () => Promise<LogUnderTest>): void {
  describe(`the log: ${name}`, () => {
    const joined: LogStream[] = [];

    async function logs(count: number): Promise<{ log: LogUnderTest; members: [LogStream, ...LogStream[]] }> {
      const log = await create();
      const members: LogStream[] = [];
      for (let i = 0; i < count; i++) members.push(await log.join());
      joined.push(...members);
      return { log, members: members as [LogStream, ...LogStream[]] };
    }

    /** Lets time pass until it holds. */
    async function until(log: LogUnderTest, holds: () => boolean): Promise<void> {
      for (let passed = 0; !holds() && passed < LONGEST_WAIT_MS; passed += LOOK_MS) await log.pass(LOOK_MS);
      expect(holds()).toBe(true);
    }

    afterEach(async () => {
      for (const member of joined.splice(0)) await member.close();
    });

    it('is empty at first', async () => {
      const { members } = await logs(2);
      const states = await Promise.all(members.map((member) => member.state()));
      expect(states[0]?.last).toBe(0);
      expect(states[1]).toEqual(states[0]);
    });

    it('appends behind the newest entry only', async () => {
      const { members } = await logs(2);
      const [first, second] = members as [LogStream, LogStream];
      expect(await first.append(bytes('a'), 0)).toBe(1);
      await expect(second.append(bytes('b'), 0)).rejects.toMatchObject({ code: 'LOG_MOVED' });
      await expect(second.append(bytes('b'), 7)).rejects.toMatchObject({ code: 'LOG_MOVED' });
      expect(await second.append(bytes('b'), 1)).toBe(2);
      expect((await first.state()).last).toBe(2);
    });

    it('lets one of those win who append at one time', async () => {
      const { members } = await logs(3);
      const results = await Promise.all(
        members.map((member, index) =>
          member.append(bytes(String(index)), 0).catch((error: unknown) => (error as SymmetraError).code),
        ),
      );
      expect(results.filter((result) => result === 1)).toHaveLength(1);
      expect(results.filter((result) => result === 'LOG_MOVED')).toHaveLength(2);
      expect((await members[0].state()).last).toBe(1);
    });

    it('takes the longest entry, and refuses a longer one', async () => {
      const { log, members } = await logs(1);
      const longest = new Uint8Array(MAX_ENTRY_BYTES).fill(7);
      await members[0].append(longest, 0);
      await expect(members[0].append(new Uint8Array(MAX_ENTRY_BYTES + 1), 1)).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
      });
      const seen: LogEntry[] = [];
      members[0].follow(0, async (entry) => void seen.push(entry));
      await until(log, () => seen.length > 0);
      expect(Buffer.from((seen[0] as LogEntry).data).equals(longest)).toBe(true);
    });

    it('hands over what is there, then what comes, in order, from any place', async () => {
      const { log, members } = await logs(2);
      const [first, second] = members as [LogStream, LogStream];
      for (let i = 0; i < 5; i++) await first.append(bytes(`${i + 1}`), i);
      const [all, some]: [string[], string[]] = [[], []];
      second.follow(0, async (entry) => void all.push(`${entry.sequence}:${text(entry)}`));
      second.follow(3, async (entry) => void some.push(text(entry)));
      await until(log, () => all.length === 5);
      for (let i = 5; i < 8; i++) await first.append(bytes(`${i + 1}`), i);
      await until(log, () => all.length === 8 && some.length === 5);
      expect(all).toEqual(['1:1', '2:2', '3:3', '4:4', '5:5', '6:6', '7:7', '8:8']);
      expect(some).toEqual(['4', '5', '6', '7', '8']);
    });

    it('hands over one entry at a time', async () => {
      const { log, members } = await logs(1);
      for (let i = 0; i < 3; i++) await members[0].append(bytes(`${i}`), i);
      const started: string[] = [];
      let release: () => void = () => undefined;
      members[0].follow(0, async (entry) => {
        started.push(text(entry));
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      });
      for (const expected of [['0'], ['0', '1'], ['0', '1', '2']]) {
        await until(log, () => started.length === expected.length);
        await log.pass(LOOK_MS);
        expect(started).toEqual(expected);
        release();
      }
    });

    it('hands an entry that was rejected over again, after a pause, and nothing before it', async () => {
      const { log, members } = await logs(1);
      await members[0].append(bytes('a'), 0);
      await members[0].append(bytes('b'), 1);
      const seen: string[] = [];
      members[0].follow(0, async (entry) => {
        seen.push(text(entry));
        if (seen.length === 1) throw new SymmetraError('STORE_FULL', 'not now');
      });
      await until(log, () => seen.length === 1);
      await log.pass(LOG_PAUSE_MS / 2);
      expect(seen).toEqual(['a']);
      await until(log, () => seen.length === 3);
      expect(seen).toEqual(['a', 'a', 'b']);
    });

    it('stops when it is told to, also while an entry is under way', async () => {
      const { log, members } = await logs(1);
      await members[0].append(bytes('a'), 0);
      const seen: string[] = [];
      const stop = members[0].follow(0, async (entry) => void seen.push(text(entry)));
      await until(log, () => seen.length === 1);
      await stop();
      await members[0].append(bytes('b'), 1);
      await log.pass(LOOK_MS);
      expect(seen).toEqual(['a']);
    });

    it('names a log that was made anew differently, and hands it over from its start', async () => {
      const { log, members } = await logs(1);
      await members[0].append(bytes('a'), 0);
      await members[0].append(bytes('b'), 1);
      const before = await members[0].state();
      const seen: string[] = [];
      members[0].follow(0, async (entry) => void seen.push(text(entry)));
      await until(log, () => seen.length === 2);
      await log.recreate();
      const after = await members[0].state();
      expect(after.incarnation).not.toBe(before.incarnation);
      expect(after.last).toBe(0);
      expect(await members[0].append(bytes('c'), 0)).toBe(1);
      await until(log, () => seen.length === 3);
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('shares no memory with those who append and read', async () => {
      const { log, members } = await logs(1);
      const data = bytes('a');
      const appended = members[0].append(data, 0);
      data.fill(0);
      await appended;
      const seen: string[] = [];
      const take = async (entry: LogEntry): Promise<void> => {
        seen.push(text(entry));
        entry.data.fill(0);
      };
      members[0].follow(0, take);
      members[0].follow(0, take);
      await until(log, () => seen.length === 2);
      expect(seen).toEqual(['a', 'a']);
    });

    it('is unavailable once it was closed', async () => {
      const { members } = await logs(1);
      await members[0].close();
      await expect(members[0].state()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
      await expect(members[0].append(bytes('a'), 0)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    });
  });
}
