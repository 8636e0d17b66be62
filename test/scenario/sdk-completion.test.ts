import { describe, expect, test } from 'vitest';
import { SymmetraError } from '@symmetra/crypto';
import { ManualClock } from '@symmetra/testing';
import { EnrolmentCompletion } from '../../packages/sdk/src/enrolment/completion.js';
import type { CompletionParts } from '../../packages/sdk/src/enrolment/completion.js';
import { codeOf } from '../../packages/sdk/src/failure.js';
import { Timers } from '../../packages/sdk/src/timers.js';

const NODE = 'amsterdam';

describe('a device whose own disk is full', () => {
  /** Enrols at one node, whose attempts fail with these codes, and waits out `ms`. */
  async function enrolFor(ms: number, codes: readonly string[], ready: number) {
    const clock = new ManualClock();
    const timers = new Timers(clock);
    const left = [...codes];
    const warnings: string[] = [];
    let done = ready;
    const completion = new EnrolmentCompletion({
      runs: {
        unfinished: () => (done > ready ? [] : [NODE]),
        complete: async () => {
          const code = left.shift();
          if (code !== undefined) throw new SymmetraError(code, 'it failed');
          done += 1;
        },
      },
      random: { bytes: (length: number) => new Uint8Array(length) },
      timers,
      logger: { info: () => undefined, warn: () => undefined },
      threshold: () => 2,
      ready: () => done,
      onProgress: () => undefined,
      onRefused: ({ code }: SymmetraError) => warnings.push(code),
    } as unknown as CompletionParts);
    const outcome = completion.enough().then(() => 'enough', codeOf);
    completion.start();
    for (let passed = 0; passed < ms; passed += 100) {
      await new Promise(setImmediate);
      clock.advance(100);
    }
    await new Promise(setImmediate);
    timers.close();
    return { isDone: done > ready, warnings, outcome: await outcome };
  }

  const full = ['DISK_FULL', 'DISK_FULL', 'DISK_FULL'];

  test('goes on with its last nodes as soon as there is room, and tells', async () => {
    expect(await enrolFor(5000, full, 2)).toEqual({ isDone: true, warnings: full, outcome: 'enough' });
  });

  test('a node that refuses is asked again later, and not so soon', async () => {
    const refused = ['TOKEN_SPENT'];
    expect(await enrolFor(5000, refused, 2)).toMatchObject({ isDone: false, warnings: refused });
    expect(await enrolFor(601_000, refused, 2)).toMatchObject({ isDone: true, warnings: refused });
  });

  test('tells at once who waits for too few nodes', async () => {
    expect(await enrolFor(0, full, 1)).toEqual({ isDone: false, warnings: [], outcome: 'DISK_FULL' });
  });
});
