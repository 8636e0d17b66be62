import { CHEAP_SUITE_ID, CRASH_POINTS, FAULT_KINDS } from '@symmetra/testing';
import { MALICE, PairRun } from './pair-run.js';
import { simulate } from './seeds.js';

const EXPECTED = [
  ...FAULT_KINDS.map((kind) => `fault:${kind}`),
  ...CRASH_POINTS.flatMap((point) => [`crash:device:${point}`, `crash:node:${point}`]),
  ...MALICE.map((malice) => `outcome:complete in spite of ${malice}`),
  'initiator:requested',
  'initiator:requested>confirmed',
  'initiator:confirmed>finished',
  'initiator:requested>given up',
  'initiator:response repeated',
  'initiator:refused CONTINUITY_REQUIRED',
  'responder:responded',
  'responder:responded>held',
  'responder:responded>expired',
  'responder:refused',
  'responder:confirmation repeated',
  'responder:a header that differs',
  'key:direct KEM',
  'key:no direct KEM',
  'key:continued',
  'key:first contact',
  'key:from 2 nodes',
  'key:from 3 nodes',
  'outcome:the next attempt completes',
  'outcome:restored, forgotten, complete',
  'refused:AUTHENTICATION_FAILED',
  'refused:BAD_ENCODING',
  'refused:SHARE_MISMATCH',
  'refused:BAD_LIMITS',
  'refused:CONTINUITY_REQUIRED',
];

simulate('pairwise', EXPECTED, (run) => {
  new PairRun(run, ({ prng }) => {
    const crowded = run.suite.id === CHEAP_SUITE_ID && prng.chance(0.006);
    const draw = (): { inFlight: number; complete: number } => ({
      inFlight: crowded ? prng.between(10, 30) : prng.between(1, 3),
      complete: crowded ? 30 : prng.between(1, 3),
    });
    return {
      goals: { alice: draw(), bob: draw() },
      stormy: prng.between(20, 200),
      ...(prng.chance(0.3) && { malice: prng.pick(MALICE) }),
      backup: prng.chance(0.15),
    };
  }).execute();
});
