import { setImmediate } from 'node:timers/promises';
import { RandomBitGenerator } from '@symmetra/entropy';
import type { TestedSource } from '@symmetra/entropy';
import { ManualClock } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { ScriptedSource } from './scripted-source.js';

const EVERY_MS = 10_000;

function open() {
  const clock = new ManualClock();
  const sources: ScriptedSource[] = [];
  const generator = new RandomBitGenerator({
    os: (length) => new Uint8Array(length),
    clock,
    idleTestMs: EVERY_MS,
    open: (notify): readonly TestedSource[] => {
      sources.push(new ScriptedSource('idle', 1, notify), new ScriptedSource('busy', 2, notify));
      return sources;
    },
  });
  const [idle, busy] = sources as [ScriptedSource, ScriptedSource];
  const pass = async (): Promise<void> => {
    busy.samples += 1;
    clock.advance(EVERY_MS);
    await setImmediate();
  };
  return { generator, clock, idle, busy, pass };
}

test('a qualified source that nobody draws from is tested on demand, again and again; one that is read is not', async () => {
  const { generator, idle, busy, pass } = open();
  await pass();
  expect([idle.demands, busy.demands]).toEqual([0, 0]);
  idle.qualify(4);
  busy.qualify(4);
  await pass();
  expect([idle.demands, busy.demands]).toEqual([1, 0]);
  await pass();
  await pass();
  expect([idle.demands, busy.demands]).toEqual([3, 0]);
  idle.fail();
  await pass();
  expect(idle.demands).toBe(3);
  await generator.close();
});

test('a source that does not answer is not asked a second time meanwhile, and what it fails with is its own matter', async () => {
  const { generator, idle, pass } = open();
  idle.qualify(4);
  let asked = 0;
  let fail: (error: Error) => void = () => undefined;
  idle.onDemandTest = async () => {
    asked += 1;
    return new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
  };
  await pass();
  await pass();
  expect(asked).toBe(1);
  fail(new Error('silent'));
  await setImmediate();
  await pass();
  expect(asked).toBe(2);
  await generator.close();
});

test('nothing is asked for after the end', async () => {
  const { generator, clock, idle, pass } = open();
  idle.qualify(4);
  await generator.close();
  await pass();
  expect(idle.demands).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});
