import { SymmetraError } from '@symmetra/crypto';
import { parseDuration } from '@symmetra/runtime';
import { parseUpConfig } from '@symmetra/runtime/configuration';
import { describe, expect, it } from 'vitest';

function refused(action: () => unknown): SymmetraError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return error;
    throw error;
  }
  return undefined;
}

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['007s', 7000],
  ])('%s is %i milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '1',
    'h',
    '1 h',
    ' 1h',
    '1h\n',
    '-1h',
    '+1h',
    '1.5h',
    '1H',
    '1w',
    '1h30m',
    '0x1s',
    '١s',
    '999999999999999d',
  ])('%j is none', (text) => {
    expect(refused(() => parseDuration(text))?.code).toBe('BAD_DURATION');
  });
});

describe('the configuration of a network', () => {
  it('has defaults for everything', () => {
    expect(parseUpConfig({})).toEqual({ nodes: 3, threshold: 2, dataDir: '.symmetra', port: 7400 });
  });

  it('takes numbers as a command line gives them', () => {
    const config = { nodes: '5', threshold: '3', dataDir: '/var/lib/symmetra', port: '0' };
    expect(parseUpConfig(config)).toEqual({ nodes: 5, threshold: 3, dataDir: '/var/lib/symmetra', port: 0 });
  });

  it('lets one node suffice where there is one', () => {
    expect(parseUpConfig({ nodes: 1 })).toMatchObject({ nodes: 1, threshold: 1 });
    expect(parseUpConfig({ nodes: 16 })).toMatchObject({ nodes: 16, threshold: 2 });
  });

  it.each([
    ['nodes', { nodes: 0 }],
    ['nodes', { nodes: 17 }],
    ['nodes', { nodes: 2.5 }],
    ['nodes', { nodes: '' }],
    ['nodes', { nodes: '3x' }],
    ['nodes', { nodes: null }],
    ['threshold', { threshold: 0 }],
    ['threshold', { nodes: 3, threshold: 4 }],
    ['threshold', { threshold: '-1' }],
    ['dataDir', { dataDir: '' }],
    ['dataDir', { dataDir: 7 }],
    ['port', { port: -1 }],
    ['port', { port: 65_536 }],
    ['port', { nodes: 3, port: 65_533 }],
    ['port', { port: '0x50' }],
    ['trehsold', { trehsold: 2 }],
    ['', null],
    ['', 'nodes'],
  ])('is refused at "%s" of %j', (field, input) => {
    const error = refused(() => parseUpConfig(input));
    expect([error?.code, error?.details['field']]).toEqual(['BAD_CONFIG', field]);
  });

  it('reaches the last port, and no further', () => {
    expect(parseUpConfig({ nodes: 3, port: 65_532 })).toMatchObject({ port: 65_532 });
  });
});
