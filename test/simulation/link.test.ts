import { Occurrences } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { LINK_FAILURES, LinkRun } from './link-run.js';

const SEEDS = 48;

const EXPECTED = [
  'replied',
  ...LINK_FAILURES,
  'renewed',
  'crashed',
  'parted',
  'fault:lost',
  'fault:repeated',
  'fault:delayed',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:MESSAGE_REPLAYED',
  'refused:LINK_UNKNOWN',
  'refused:LINK_SILENT',
];

test('LINK-1 to LINK-8: no request is taken twice or out of order, each ends, and in fair weather all reach one another', async () => {
  const occurrences = new Occurrences();
  const chosen = process.env['SIM_SEED'];
  const seeds = Array.from({ length: SEEDS }, (_, i) => `link/${i}`);
  for (const seed of chosen === undefined ? seeds : seeds.filter((one) => one === chosen)) {
    expect(await new LinkRun(seed, occurrences).execute(), `SIM_SEED=${seed}`).toEqual([]);
  }
  const missing = EXPECTED.filter((name) => occurrences.count(name) === 0);
  expect(chosen === undefined ? missing : []).toEqual([]);
});
