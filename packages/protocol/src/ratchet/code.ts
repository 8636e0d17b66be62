import { Writer, labelBytes, toBase32 } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import { domainHash } from '../context.js';

/** 40 bits: 8 characters of base32, for two people to compare. */
const CODE_LENGTH = 5;

/** One node's part of a promotion code: what the last step at that node exchanged. */
export interface CodePart {
  readonly nodeId: string;
  /** H(R1, R2). */
  readonly transcriptHash: Uint8Array;
  /** The device's nonce: committed to in R1, revealed in R3. */
  readonly deviceNonce: Uint8Array;
  /** The node's nonce, from R2. */
  readonly nodeNonce: Uint8Array;
}

/** ATK-2: H(label, code nonce), under the next suite: the commitment that R1 carries. */
export function codeCommitment(suite: Suite, codeNonce: Uint8Array): Uint8Array {
  return suite.hash(new Writer().bytes(labelBytes('ratchetCodeCommit')).raw(codeNonce).finish());
}

/**
 * ATK-10: the promotion code: 8 base32 characters over all nodes' last transcripts, in the order of the node ids.
 * The device and the administrators' console compute it from their own sides; a person compares the two.
 */
export function promotionCode(parts: readonly CodePart[]): string {
  const ordered = parts.toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const fields = new Writer().list(ordered, (w, part) =>
    w.text(part.nodeId).bytes(part.transcriptHash).raw(part.deviceNonce).raw(part.nodeNonce),
  );
  return toBase32(domainHash(labelBytes('ratchetCode'), fields.finish()).subarray(0, CODE_LENGTH));
}
