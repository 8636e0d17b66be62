export { AuthenticationError, EncodingError, SecretWipedError, SymmetraError } from './error.js';
export { EMPTY, concat, equalConstantTime, utf8, wipe } from './bytes.js';
export { fromBase32, fromBase64Url, fromHex, toBase32, toBase64Url, toHex } from './text.js';
export { Reader, Writer } from './encoding.js';
export { Secret } from './secret.js';
export type { Backend } from './backend.js';
export { nobleBackend } from './backend-noble.js';
export { nodeBackend } from './backend-node.js';
export type { Encapsulation, Kem, KemKeyPair } from './kem.js';
export { createSuites, hmacSha256, sha256, suiteTable, suites } from './suites.js';
export type { Suite, SuiteTable } from './suites.js';
export { LABELS, labelBytes } from './labels.js';
export type { Label } from './labels.js';
export {
  NETWORK_ID_LENGTH,
  ONE_SHOT_NONCE_LENGTH,
  expand,
  extractExpand,
  openOnce,
  sealOnce,
} from './kdf.js';
export type { KdfContext } from './kdf.js';
export { MAX_SHARES, combine, split } from './shamir.js';
export type { Share } from './shamir.js';
export { sign, signatureKeygen, verify } from './signature.js';
export {
  SIGNATURE_LENGTH,
  SIGNATURE_PUBLIC_KEY_LENGTH,
  SIGNATURE_SECRET_KEY_LENGTH,
  SIGNATURE_SEED_LENGTH,
} from './ml-dsa.js';
export type { SignatureKeyPair } from './ml-dsa.js';
