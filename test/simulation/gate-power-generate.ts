import { FLAWS, TRIALS, rowOf, stopped } from './gate-power.js';
import { writePowerTable } from './gate-power-document.js';

/*
 * `npm run gate-power`: measures how many bad buffers the gate stops and writes it into docs/entropy/gate.md. The test
 * beside it measures a part of it again.
 */
const rows = FLAWS.map((flaw, place) => rowOf(flaw, stopped(flaw, place)));
writePowerTable(
  [`| Data | Strength | Stopped, of ${TRIALS} | 95 % interval |`, '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  ),
);
