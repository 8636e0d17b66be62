import type { SymmetraError } from '@symmetra/crypto';
import { Lifecycle, createLogger, stopOnSignals } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

function program() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', clock, output: { write: (line) => void lines.push(line) } });
  return { clock, lines, lifecycle: new Lifecycle({ clock, logger, deadlineMs: 5000 }) };
}

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

describe('the lifecycle of a program', () => {
  it('ends its parts once, in reverse order, one after another', async () => {
    const { lifecycle, clock } = program();
    const ended: string[] = [];
    for (const name of ['store', 'bus', 'server']) {
      lifecycle.register(name, async () => {
        ended.push(`${name} ends`);
        await nextTurn();
        ended.push(`${name} ended`);
      });
    }
    expect(lifecycle.stopping).toBe(false);
    const reports = await Promise.all([lifecycle.stop(), lifecycle.stop(), lifecycle.stopped]);
    expect(ended).toEqual([
      'server ends',
      'server ended',
      'bus ends',
      'bus ended',
      'store ends',
      'store ended',
    ]);
    expect(reports).toEqual(reports.map(() => ({ failed: [], unfinished: [] })));
    expect(await lifecycle.stop()).toEqual({ failed: [], unfinished: [] });
    expect(ended).toHaveLength(6);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on behind a part that fails, and names it', async () => {
    const { lifecycle, lines } = program();
    const ended: string[] = [];
    lifecycle.register('store', () => void ended.push('store'));
    lifecycle.register('bus', () => Promise.reject(new Error('broken')));
    lifecycle.register('server', () => {
      throw new Error('broken at once');
    });
    expect(await lifecycle.stop()).toEqual({ failed: ['server', 'bus'], unfinished: [] });
    expect(ended).toEqual(['store']);
    expect(lines.map((line) => (JSON.parse(line) as { component: string }).component)).toEqual([
      'server',
      'bus',
    ]);
  });

  it('gives up at the deadline on a part that hangs, and names what is left', async () => {
    const { lifecycle, clock, lines } = program();
    lifecycle.register('store', () => undefined);
    let release: () => void = () => undefined;
    lifecycle.register('bus', async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    lifecycle.register('server', () => undefined);
    const stopped = lifecycle.stop();
    await nextTurn();
    clock.advance(5000);
    expect(await stopped).toEqual({ failed: [], unfinished: ['bus', 'store'] });
    expect(lines.join('')).toContain('Stopping took too long.');
    release();
    await nextTurn();
    expect(await lifecycle.stopped).toEqual({ failed: [], unfinished: ['bus', 'store'] });
  });

  it('takes no new part while it stops', async () => {
    const { lifecycle } = program();
    await lifecycle.stop();
    expect(() => lifecycle.register('late', () => undefined)).toThrow(
      expect.objectContaining({ code: 'STOPPING', details: { part: 'late' } }) as SymmetraError,
    );
  });
});

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, status) => {
  it('stops the program, and ends it at once the second time', async () => {
    const { lifecycle } = program();
    const fake = new FakeProcess();
    const remove = stopOnSignals(lifecycle, fake);
    fake.emit(signal);
    expect(lifecycle.stopping).toBe(true);
    expect(fake.exits).toEqual([]);
    fake.emit(signal);
    expect(fake.exits).toEqual([status]);
    await lifecycle.stopped;
    remove();
    expect(fake.eventNames()).toEqual([]);
  });
});
