import { CRASH_POINTS, FAULT_KINDS } from '@symmetra/testing';
import { ChainRun } from './chain-run.js';
import { simulate } from './seeds.js';

const EXPECTED = [
  ...FAULT_KINDS.map((kind) => `fault:${kind}`),
  ...CRASH_POINTS.flatMap((point) => [`crash:device:${point}`, `crash:node:${point}`]),
  'device:settled>stepping',
  'device:stepping>confirming',
  'device:confirming>settled',
  'device:confirming>restepping',
  'device:restepping>confirming',
  'device:restepping>settled',
  'node:current>pending',
  'node:pending>current',
  'node:pending>another pending',
  'node:R1 repeated',
  'node:R3 commits',
  'node:R3 repeated',
  'node:challenge',
  'node:proof current',
  'node:proof left',
  'theft:device:settled',
  'theft:device:stepping',
  'theft:device:confirming',
  'theft:device:restepping',
  'theft:node:current',
  'theft:node:pending',
  'outcome:shared epoch, next step completes',
  'outcome:clone found out',
  'outcome:clone healed',
  'outcome:clone shut out',
  'outcome:backup found out',
  'outcome:backup healed',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:MESSAGE_LATE',
];

simulate('ratchet', EXPECTED, (run) => {
  new ChainRun(run, ({ prng }) => ({
    goal: { epoch: prng.between(1, 4), calls: 0 },
    fate: prng.pick(['plain', 'plain', 'clone', 'backup']),
    stormy: prng.between(20, 200),
  })).execute();
});
