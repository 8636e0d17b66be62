import { CRASH_POINTS, FAULT_KINDS } from '@symmetra/testing';
import { ChainRun } from './chain-run.js';
import { simulate } from './seeds.js';

const EXPECTED = [
  ...FAULT_KINDS.map((kind) => `fault:${kind}`),
  ...CRASH_POINTS.flatMap((point) => [`crash:device:${point}`, `crash:node:${point}`]),
  'device:confirming>settled',
  'device:confirming>restepping',
  'node:session commits the pending epoch',
  'node:sessions skipped',
  'node:call repeated',
  'node:challenge',
  'node:proof current',
  'node:proof left',
  'theft:device:settled',
  'theft:node:current',
  'outcome:shared epoch, next step completes',
  'outcome:clone found out',
  'outcome:backup found out',
  'outcome:backup healed',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:SESSION_LOST',
  'refused:SESSION_EXHAUSTED',
];

simulate('session', EXPECTED, (run) => {
  new ChainRun(run, ({ prng }) => ({
    goal: { epoch: prng.between(1, 3), calls: prng.between(2, 14) },
    fate: prng.pick(['plain', 'plain', 'clone', 'backup']),
    stormy: prng.between(20, 200),
  })).execute();
});
