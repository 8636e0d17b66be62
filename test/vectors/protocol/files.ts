import type { SuiteTable } from '@symmetra/crypto';
import { controlVector } from './control.js';
import { enrolment } from './enrolment.js';
import { groupVector } from './group.js';
import { introductionVector } from './introduction.js';
import { linkVector } from './link.js';
import { networkVector } from './network.js';
import { pairwiseVector } from './pairwise.js';
import { codeVector, proofVector } from './proof.js';
import { ratchetStep } from './ratchet.js';
import { sessionVector } from './session.js';
import { tokenVector } from './token.js';
import type { Vector } from './vector.js';

const INPUTS =
  'Bytes are hexadecimal. Every input that would be random is SHA-256(name, u32(0)) || SHA-256(name, u32(1)) || ..., cut to its length.';

/** Every vector file by its name, as text. The same on every back end. */
export function vectorFiles(suites: SuiteTable): ReadonlyMap<string, string> {
  const perSuite = (build: (suiteId: number) => Vector): Vector =>
    Object.fromEntries(suites.ids().map((id) => [`suite ${id}`, build(id)]));
  return new Map(
    Object.entries({
      'token.json': { network: networkVector(), ...tokenVector() },
      'enrolment.json': perSuite((id) => enrolment(suites, id).vector),
      'introduction.json': introductionVector(),
      'ratchet.json': perSuite((id) => chainVectors(suites, id).ratchet),
      'session.json': perSuite((id) => chainVectors(suites, id).session),
      'pairwise.json': perSuite((id) => pairwiseVector(suites, id)),
      'group.json': perSuite((id) => groupVector(suites, id)),
      'link.json': perSuite((id) => linkVector(suites, id)),
      'control.json': controlVector(),
    }).map(([name, vector]) => [name, `${JSON.stringify({ about: INPUTS, ...vector }, undefined, 2)}\n`]),
  );
}

/** A step within the suite, one to the next suite, the proofs and codes of both, and a session in the first epoch. */
function chainVectors(
  suites: SuiteTable,
  id: number,
): { readonly ratchet: Vector; readonly session: Vector } {
  const first = ratchetStep(suites, enrolment(suites, id), id, 'production');
  const second = ratchetStep(suites, first, (id % 3) + 1, 'production');
  return {
    ratchet: {
      'step to epoch 1, same suite': first.vector,
      'step to epoch 2, another suite': second.vector,
      ...proofVector(suites, second, second.confirming),
      ...codeVector(first),
    },
    session: sessionVector(suites, first),
  };
}
