import { ManualClock } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { Output } from '../../packages/cli/src/output.js';
import { Progress } from '../../packages/cli/src/progress.js';

/** A command's progress, with what it writes to standard error. */
function progressOn({ json = false, isTTY = false }): {
  readonly progress: Progress;
  readonly clock: ManualClock;
  readonly text: () => string;
} {
  let text = '';
  const err = { isTTY, write: (more: string) => (text += more) };
  const clock = new ManualClock();
  const out = { write: () => expect.unreachable('nothing of it belongs on standard output') };
  return { progress: new Progress(new Output(json, out, err), clock), clock, text: () => text };
}

describe('the progress of a long command', () => {
  test('is not told of what is done at once', () => {
    const { progress, clock, text } = progressOn({ isTTY: true });
    clock.advance(2999);
    progress.step('FFT', 7, 15);
    progress.end();
    expect(text()).toBe('');
  });

  test('is a bar that moves on a terminal and is gone at the end', () => {
    const { progress, clock, text } = progressOn({ isTTY: true });
    clock.advance(3000);
    progress.step('FFT', 7, 15);
    progress.step('LinearComplexity', 15, 15);
    progress.end();
    const [, first, second, last] = text().split('\r\u001B[K');
    expect(first).toBe(`[${'#'.repeat(14)}${'.'.repeat(16)}]  46 %  FFT`);
    expect(second).toBe(`[${'#'.repeat(30)}] 100 %  LinearComplexity`);
    expect(last).toBe('');
  });

  test('is a sentence after three seconds, and every ten seconds, where no terminal is', () => {
    const { progress, clock, text } = progressOn({});
    for (let done = 1; done <= 25; done += 1) {
      clock.advance(1000);
      progress.step(`part ${done}`, done, 25);
    }
    progress.end();
    expect(text()).toBe('12 % done: part 3\n52 % done: part 13\n92 % done: part 23\n');
  });

  test('does not begin anew with each stage', () => {
    const { progress, clock, text } = progressOn({});
    for (const stage of ['reading', 'assessing', 'testing', 'drawing']) {
      clock.advance(3000);
      progress.step(stage, 1, 1);
      progress.end();
    }
    expect(text()).toBe('100 % done: reading\n');
  });

  test('is not told to programs', () => {
    const { progress, clock, text } = progressOn({ json: true, isTTY: true });
    clock.advance(10_000);
    progress.step('FFT', 7, 15);
    progress.end();
    expect(text()).toBe('');
  });
});
