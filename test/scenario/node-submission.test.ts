import { InProcessNetwork } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import { encode } from '@symmetra/rpc';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { Submission } from '../../packages/node/src/control/submission.js';
import type { SubmissionParts } from '../../packages/node/src/control/submission.js';
import { Siblings } from '../../packages/node/src/replicas/siblings.js';

test('CTL-3: who hands on what no administrator signed is accused once, and not by a process to which another one brings it', async () => {
  const clock = new ManualClock();
  const wire = new InProcessNetwork({ clock });
  const store = openMemoryStore();
  const logger = createLogger({ level: 'silent', clock });
  const accused: string[] = [];
  let looks = 0;
  const start = async (): Promise<Siblings> => {
    const bus = wire.join('node-1', true);
    const siblings = new Siblings({ bus, clock, logger, store, isShared: true });
    const log = {
      apply: async () => {
        looks += 1;
        throw new SymmetraError('BAD_SIGNATURE', 'nobody signed it');
      },
    };
    const peers = { noteForged: (node: string) => void accused.push(node) };
    void new Submission({ bus, siblings, log, peers } as unknown as SubmissionParts);
    await siblings.start();
    return siblings;
  };
  const processes = [await start(), await start()];
  const liar = wire.join('node-2');
  const event = encode('symmetra.link.v1.ControlNotice', { event: fresh(8), signatures: [] });
  await expect(liar.request('node-1', 'control', event, { timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'BAD_SIGNATURE',
  });
  expect(looks).toBe(2);
  expect(accused).toEqual(['node-2']);
  await Promise.all(processes.map(async (siblings) => siblings.stop()));
});
