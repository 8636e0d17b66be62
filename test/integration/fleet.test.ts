import { suites } from '@symmetra/crypto';
import { Occurrences, Prng } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { violationsOf } from './fleet-checker.js';
import { FleetHistory } from './fleet-history.js';
import { FleetRun } from './fleet-run.js';
import { SealWatch } from './fleet-seals.js';
import { SocketCutter } from './fleet-sockets.js';
import { Fleet } from './sdk-fleet.js';

/** Everything that is chosen in a run follows from it; FLEET_SEED and FLEET_DEVICES ask for another run. */
const SEED = process.env['FLEET_SEED'] ?? 'fleet/1';
const PLAN = { devices: Number(process.env['FLEET_DEVICES'] ?? 300), rounds: 3, tasks: 60 };
const LIMIT_MS = 300_000;
/** What must really have happened. */
const EXPECTED = [
  'negotiate: active',
  'negotiate: pending',
  'negotiate: PEER_REVOKED',
  'negotiate: DEVICE_REVOKED',
  'ratchet: ok',
  'drop',
  'cut',
  'psk',
  'revoke',
  'restart',
];
const PRINTED_HISTORIES = 4;

test(
  'a fleet: same key or none, no counter twice, no key after a revocation, nobody lost',
  async () => {
    const seals = new SealWatch(suites);
    const sockets = new SocketCutter();
    const fleet = await Fleet.start();
    const history = new FleetHistory();
    const occurrences = new Occurrences();
    const run = new FleetRun({ fleet, history, occurrences, sockets, prng: new Prng(SEED), plan: PLAN });
    try {
      await run.enrol();
      await run.live();
      await run.finish();
      const violations = violationsOf(history.entries, seals.repeated);
      const told = violations.flatMap(({ devices }) => devices).slice(0, PRINTED_HISTORIES);
      const histories = told.map((device) => `${device}\n${history.print(device)}`).join('\n');
      expect(violations, `seed ${SEED}\n${histories}`).toEqual([]);
      expect({ missing: occurrences.missing(EXPECTED), of: occurrences.all() }).toMatchObject({
        missing: [],
      });
      expect(seals.size).toBeGreaterThan(PLAN.devices);
    } catch (error) {
      throw new Error(`seed ${SEED} failed; run it again with FLEET_SEED`, { cause: error });
    } finally {
      sockets.end();
      await fleet.stop();
      seals.end();
    }
  },
  LIMIT_MS,
);
