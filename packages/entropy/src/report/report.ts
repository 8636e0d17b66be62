import { SymmetraError, fromHex, labelBytes, sha256, sign, toHex, utf8, verify } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import { canonicalJson } from './canonical-json.js';
import type { Json } from './canonical-json.js';
import type { OutputEvidence, SourceEvidence } from './evidence.js';

/** The form of a report. Another form has another name. */
export const REPORT_FORMAT = 'symmetra-entropy-report/1';

/** What a report says, before it is signed. Everything in it can be computed again from what it carries. */
export interface Report {
  readonly format: typeof REPORT_FORMAT;
  /** 1 for the first report of a chain. */
  readonly number: number;
  /** {@link reportHash} of the report before; for the first one, 64 zeros. */
  readonly previous: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly software: { readonly symmetra: string; readonly node: string };
  readonly sources: readonly SourceEvidence[];
  readonly outputs: readonly OutputEvidence[];
}

/** A report with its ML-DSA-65 signature (FIPS 204) over the canonical JSON (RFC 8785) of `report`. */
export interface SignedReport {
  readonly report: Report;
  readonly signature: {
    readonly algorithm: 'ML-DSA-65';
    /** Hexadecimal, 1952 bytes. */
    readonly publicKey: string;
    /** Hexadecimal, 3309 bytes. */
    readonly value: string;
  };
}

/** The chain before its first report. */
export const FIRST_PREVIOUS = '0'.repeat(64);

/** The hash that the next report of the chain names: SHA-256 over label and canonical JSON, hexadecimal. */
export function reportHash(report: Report): string {
  return toHex(sha256(labelBytes('entropyReportHash'), bytesOf(report)));
}

/** The fingerprint of a signer's public key: SHA-256 over the key, hexadecimal. */
export function signerFingerprint(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey));
}

/** Signs a report. @throws REPORT_MALFORMED, BAD_SIGNATURE_KEY */
export function signReport(report: Report, { publicKey, secretKey }: SignatureKeyPair): SignedReport {
  const value = sign(bytesOf(report), secretKey, 'entropyReportSign');
  return {
    report,
    signature: { algorithm: 'ML-DSA-65', publicKey: toHex(publicKey), value: toHex(value) },
  };
}

/**
 * Checks the signature of a report.
 * @returns the fingerprint of who signed it.
 * @throws REPORT_SIGNATURE
 */
export function checkSignature({ report, signature }: SignedReport): string {
  if (signature.algorithm !== 'ML-DSA-65') throw badSignature();
  const publicKey = hexOf(signature.publicKey);
  if (!verify(hexOf(signature.value), bytesOf(report), publicKey, 'entropyReportSign')) throw badSignature();
  return signerFingerprint(publicKey);
}

function hexOf(text: unknown): Uint8Array {
  try {
    return fromHex(String(text));
  } catch {
    throw badSignature();
  }
}

function badSignature(): SymmetraError {
  return new SymmetraError('REPORT_SIGNATURE', 'the signature is not one of the named key over this report');
}

function bytesOf(report: Report): Uint8Array {
  return utf8(canonicalJson(report as unknown as Json));
}
