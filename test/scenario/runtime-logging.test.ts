import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret, SymmetraError, fromHex, toHex } from '@symmetra/crypto';
import { LOG_LEVELS, createLogger } from '@symmetra/runtime';
import type { LogFields, LogLevel } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { describe, expect, it } from 'vitest';

const secretHex = 'c0ffee5ec3e7'.repeat(4);
const secretBytes = fromHex(secretHex);

function logTo(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const clock = new ManualClock(Date.UTC(2030, 0, 2, 3, 4, 5, 678));
  const logger = createLogger({ level, clock, output: { write: (line) => void lines.push(line) } });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** What a caller in plain JavaScript, or behind a wider type, may pass. */
const untyped = (fields: Record<string, unknown>) => fields as LogFields;

describe('the logger', () => {
  it('writes one JSON line: level, time of the injected clock, fields, sentence', () => {
    const { logger, lines, parsed } = logTo();
    logger.info({ node: 'n1', count: 2, direct: true, nodes: ['n1', 'n2'] }, 'A key was agreed.');
    logger.warn('Nothing but a sentence.');
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: '2030-01-02T03:04:05.678Z',
        node: 'n1',
        count: 2,
        direct: true,
        nodes: ['n1', 'n2'],
        message: 'A key was agreed.',
      },
      { level: 'warn', time: '2030-01-02T03:04:05.678Z', message: 'Nothing but a sentence.' },
    ]);
  });

  it('writes what is as severe as its level, and nothing when silent', () => {
    for (const [i, level] of LOG_LEVELS.entries()) {
      const { logger, parsed } = logTo(level);
      logger.debug('A line.');
      logger.info('A line.');
      logger.warn('A line.');
      logger.error('A line.');
      expect(parsed().map((line) => line['level'])).toEqual(LOG_LEVELS.slice(i, -1));
    }
  });

  it('puts the fields of a child on each of its lines, checked like any other', () => {
    const { logger, parsed } = logTo();
    const child = logger.child(untyped({ component: 'relay', password: 'hunter2' })).child({ node: 'n1' });
    child.info({ count: 1 }, 'A line.');
    logger.info('Another line.');
    expect(parsed()[0]).toMatchObject({ component: 'relay', node: 'n1', count: 1 });
    expect(parsed()[0]).not.toHaveProperty('password');
    expect(parsed()[1]).not.toHaveProperty('component');
  });

  it('drops every field that is not in the vocabulary', () => {
    const { logger, parsed } = logTo();
    logger.info(
      untyped({ key: 'x', token: 'x', toString: 'x', __proto__x: 'x', node: 'n1', ms: undefined }),
      'A line.',
    );
    expect(Object.keys(parsed()[0] ?? {})).toEqual(['level', 'time', 'node', 'message']);
  });

  it('never shows bytes or secrets, whatever field they stand in', () => {
    const { logger, lines, parsed } = logTo();
    const wiped = Secret.of('gone', secretBytes.slice());
    wiped.wipe();
    const values = [
      secretBytes,
      Buffer.from(secretBytes),
      secretBytes.slice().buffer,
      new DataView(secretBytes.slice().buffer),
      Secret.of('chainKey', secretBytes.slice()),
      wiped,
      [secretBytes, Secret.of('chainKey', secretBytes.slice())],
      { nested: secretHex },
      new Map([['key', secretHex]]),
    ];
    for (const reason of values) logger.info(untyped({ reason }), 'A line.');
    for (const err of values) logger.info({ err }, 'A line.');
    const shown = parsed().map((line) => line['reason']);
    expect(shown.slice(0, 9)).toEqual([
      ...Array(5).fill('[bytes 24]'),
      '[bytes 0]',
      ['[bytes 24]', '[bytes 24]'],
      '[object]',
      '[object]',
    ]);
    const all = lines.join('');
    for (const form of [secretHex, Buffer.from(secretBytes).toString('base64'), secretBytes.join(',')]) {
      expect(all).not.toContain(form);
    }
    expect(all).not.toContain(toHex(secretBytes.slice(0, 4)));
  });

  it('shows our own errors with message and details, of others only name, code and call sites', () => {
    const { logger, lines, parsed } = logTo();
    const foreign = Object.assign(new TypeError(`can not use ${secretHex}`), { code: 'ERR_SOMETHING' });
    logger.error(
      { err: new SymmetraError('STORE_FULL', 'No room.', { bytes: 3 }, { cause: foreign }) },
      'It failed.',
    );
    logger.error({ err: foreign }, 'It failed.');
    const [own, other] = parsed().map(({ err }) => err as Record<string, unknown>);
    expect(own).toMatchObject({
      name: 'SymmetraError',
      code: 'STORE_FULL',
      message: 'No room.',
      details: { bytes: 3 },
      cause: { name: 'TypeError', code: 'ERR_SOMETHING' },
    });
    expect(other).toMatchObject({ name: 'TypeError', code: 'ERR_SOMETHING' });
    expect(other).not.toHaveProperty('message');
    expect(String(other?.['sites'])).toContain('runtime-logging.test.ts');
    expect(lines.join('')).not.toContain(secretHex);
  });

  it('shows no line of a message that looks like a call site', () => {
    const { logger, lines } = logTo();
    logger.error({ err: new Error(`a\n    at ${secretHex}\nb`) }, 'It failed.');
    expect(lines.join('')).not.toContain(secretHex);
  });

  it('keeps a value with line breaks in one line', () => {
    const { logger, lines } = logTo();
    logger.info({ reason: 'one\n{"level":"error"}\u2028' }, 'A line.');
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
  });

  it('writes to a file descriptor', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'symmetra-log-'));
    try {
      const file = await open(join(dir, 'log'), 'w');
      const logger = createLogger({ level: 'info', clock: new ManualClock(), output: file.fd });
      logger.info({ port: 7401 }, 'A node listens.');
      await file.close();
      expect(JSON.parse(await readFile(join(dir, 'log'), 'utf8'))).toMatchObject({ port: 7401 });
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('takes no other fields and no other sentences than constant ones, by type', () => {
    const { logger, parsed } = logTo();
    const name = String(Date.UTC(2030));
    // @ts-expect-error a field outside the vocabulary
    logger.info({ password: 'x' }, 'A line.');
    // @ts-expect-error a field of another type
    logger.info({ count: 'x' }, 'A line.');
    // @ts-expect-error a sentence made at run time
    logger.info(name);
    // @ts-expect-error a sentence made at run time in part
    logger.info({ count: 1 }, `A line about ${name}.`);
    expect(parsed()).toHaveLength(4);
  });
});
