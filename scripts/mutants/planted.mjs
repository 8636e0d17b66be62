// The planted bugs: each one must be caught by the suites that it names.
import { CHAIN_MUTANTS } from './planted-chain.mjs';
import { GROUP_BEHIND_MUTANTS } from './planted-group-behind.mjs';
import { GROUP_MEMBER_MUTANTS } from './planted-group-member.mjs';
import { GROUP_NODE_MUTANTS } from './planted-group-node.mjs';
import { GROUP_TREE_MUTANTS } from './planted-group-tree.mjs';
import { GROUP_MUTANTS } from './planted-group.mjs';
import { INTRODUCTION_MUTANTS } from './planted-introduction.mjs';
import { LINK_MUTANTS } from './planted-link.mjs';
import { NODE_MUTANTS } from './planted-node.mjs';
import { NOISE_MUTANTS } from './planted-noise.mjs';
import { PRESENCE_MUTANTS } from './planted-presence.mjs';
import { REPLICA_MUTANTS } from './planted-replica.mjs';
import { PAIRWISE_MUTANTS } from './planted-pairwise.mjs';
import { PROOF_MUTANTS } from './planted-proof.mjs';
import { SUPPLY_MUTANTS } from './planted-supply.mjs';

/**
 * @typedef {object} Mutant
 * @property {string} name
 * @property {string} file relative to the root
 * @property {string} find occurs once in the file
 * @property {string} replace
 * @property {string} breaks what an attacker or an accident gains
 * @property {readonly string[]} suites test files that must catch it
 */

/**
 * By group, so that a group can be run by itself.
 * @type {Readonly<Record<string, readonly Mutant[]>>}
 */
export const GROUPS = {
  chain: CHAIN_MUTANTS,
  introduction: INTRODUCTION_MUTANTS,
  link: LINK_MUTANTS,
  pairwise: PAIRWISE_MUTANTS,
  group: [
    ...GROUP_TREE_MUTANTS,
    ...GROUP_MUTANTS,
    ...GROUP_BEHIND_MUTANTS,
    ...GROUP_MEMBER_MUTANTS,
    ...GROUP_NODE_MUTANTS,
  ],
  node: [...NODE_MUTANTS, ...PRESENCE_MUTANTS],
  replica: REPLICA_MUTANTS,
  noise: NOISE_MUTANTS,
  supply: SUPPLY_MUTANTS,
  proof: PROOF_MUTANTS,
};

/** @type {readonly Mutant[]} */
export const PLANTED = Object.values(GROUPS).flat();

/**
 * @param {Mutant} mutant
 * @param {string} source the text of its file
 * @returns {string} the text with the bug in it
 * @throws {Error} when the place is not found exactly once
 */
export function plant({ name, file, find, replace }, source) {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: its place occurs ${places} times in ${file}`);
  return source.replace(find, () => replace);
}
