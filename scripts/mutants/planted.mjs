// The planted bugs: each one must be caught by the suites that it names.
import { NODE_MUTANTS } from './planted-node.mjs';
import { PAIRWISE_MUTANTS } from './planted-pairwise.mjs';
import { CHAIN_MUTANTS } from './planted-chain.mjs';

/**
 * @typedef {object} Mutant
 * @property {string} name
 * @property {string} file relative to the root
 * @property {string} find occurs once in the file
 * @property {string} replace
 * @property {string} breaks what an attacker or an accident gains
 * @property {readonly string[]} suites test files that must catch it
 */

/** @type {readonly Mutant[]} */
export const PLANTED = [...CHAIN_MUTANTS, ...PAIRWISE_MUTANTS, ...NODE_MUTANTS];

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
