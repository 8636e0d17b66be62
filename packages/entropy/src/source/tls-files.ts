import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { SymmetraError } from '@symmetra/crypto';
import { systemCode } from './readable.js';

/** PEM files of a TLS connection. Without `caFile` the authorities of Node are trusted. */
export interface TlsFiles {
  /** The only authorities that are trusted for this source. */
  readonly caFile?: string | undefined;
  /** With `keyFile`: the certificate by which this side proves itself. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const MAX_SECRET_CHARS = 8192;
/** What a header may carry: visible ASCII. */
const SECRET_FORM = /^[\x21-\x7e]+$/;

/** The texts of {@link TlsFiles}. */
export interface PemTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The texts in the files, read anew each time. @throws SOURCE_CREDENTIAL */
export async function loadPem(name: string, { caFile, certFile, keyFile }: TlsFiles): Promise<PemTexts> {
  return {
    ...(caFile !== undefined && { ca: await loadFile(name, caFile) }),
    ...(certFile !== undefined && { cert: await loadFile(name, certFile) }),
    ...(keyFile !== undefined && { key: await loadFile(name, keyFile) }),
  };
}

/**
 * What Node's TLS takes of the files. Verification is switched on by name, so that no variable of the environment
 * switches it off.
 * @throws SOURCE_CREDENTIAL
 */
export async function loadTls(name: string, files: TlsFiles): Promise<ConnectionOptions> {
  return { ...(await loadPem(name, files)), rejectUnauthorized: true, minVersion: 'TLSv1.2' };
}

/** The secret in a file, without the white space around it. @throws SOURCE_CREDENTIAL */
export async function loadSecret(name: string, path: string): Promise<string> {
  const secret = (await loadFile(name, path)).trim();
  if (secret.length <= MAX_SECRET_CHARS && SECRET_FORM.test(secret)) return secret;
  throw new SymmetraError('SOURCE_CREDENTIAL', 'the file does not hold one word of visible ASCII', {
    source: name,
    path,
  });
}

async function loadFile(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const details = { source: name, path, reason: systemCode(error) };
    throw new SymmetraError('SOURCE_CREDENTIAL', 'a file of the source can not be read', details, {
      cause: error,
    });
  }
}

/** Codes by which Node says that a certificate does not verify. */
const CERTIFICATE_FAULT =
  /CERT|SELF_SIGNED|^UNABLE_TO_|^(?:HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|CERTIFICATE_REJECTED)$/;

/**
 * The error of a connection that did not come about or broke: SOURCE_REFUSED, SOURCE_UNTRUSTED,
 * SOURCE_CREDENTIAL, SOURCE_UNREACHABLE.
 */
export function connectionError(name: string, cause: unknown): SymmetraError {
  const reason = systemCode(cause);
  const named = (code: string, message: string): SymmetraError =>
    new SymmetraError(code, message, { source: name, reason }, { cause });
  if (reason.startsWith('ERR_SSL_') && reason.includes('ALERT')) {
    return named('SOURCE_REFUSED', 'the server refuses the TLS connection');
  }
  if (CERTIFICATE_FAULT.test(reason)) {
    return named('SOURCE_UNTRUSTED', "the server's certificate does not verify");
  }
  if (reason.startsWith('ERR_OSSL_') || reason.startsWith('ERR_TLS_INVALID')) {
    return named('SOURCE_CREDENTIAL', 'a certificate or key file of the source is not usable');
  }
  return named('SOURCE_UNREACHABLE', 'the server of the source can not be reached');
}
