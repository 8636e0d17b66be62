import type { KeyInfo } from '@symmetra/sdk';
import { grouped } from '../output.js';

/** One line about a key, for people. */
export function keyRow(key: KeyInfo): string[] {
  const uses = key.usesLeft === null ? '' : `${key.usesLeft} use(s) left`;
  return [key.keyId, key.state, key.purpose, `${key.role} with ${key.peer}`, `until ${key.notAfter}`, uses];
}

/** What a person compares and should know of a new key. */
export function keySentences(key: KeyInfo, ms: number): string[] {
  const ways = [
    key.direct ? 'confirmed directly' : 'confirmed through the home nodes',
    key.directKem ? 'with the direct KEM' : 'without the direct KEM',
    key.continuity ? 'continuing earlier keys' : 'first contact',
  ];
  return [
    `key ${key.keyId}`,
    `  fingerprint  ${grouped(key.fingerprint)}`,
    `  peer         ${key.peer}`,
    `  nodes        ${key.nodes.join(', ')}`,
    `  ${ways.join(', ')}; ${ms} ms`,
    `  suite ${key.suite}, ${key.length} bytes, purpose ${key.purpose}, until ${key.notAfter}`,
  ];
}
