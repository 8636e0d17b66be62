import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A key and its certificate, in PEM. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTC_TIME = 0x17;
const UTF8 = 0x0c;
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const ALTERNATIVE_NAMES = Buffer.from('0603551d11', 'hex');
const TRUE = Buffer.from('0101ff', 'hex');
const VERSION_3 = Buffer.from('020102', 'hex');

/** One element of DER (X.690). */
function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

const nameOf = (common: string): Buffer =>
  der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from(common)))));

const pem = (label: string, bytes: Buffer): string => {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};

/** A certificate authority that lives as long as a test. */
export class TestAuthority {
  readonly #name: string;
  readonly #key: KeyObject;
  /** Its own certificate, in PEM. */
  readonly cert: string;

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = privateKey;
    const isAuthority = der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE)));
    this.cert = this.#certificate(name, publicKey, '400101000000Z', isAuthority);
  }

  /** @param notAfter end of validity as a UTC time, YYMMDDhhmmssZ. */
  issue(dns: string, ip = '127.0.0.1', notAfter = '400101000000Z'): Credential {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = der(
      SEQUENCE,
      der(DNS_NAME, Buffer.from(dns)),
      der(IP_ADDRESS, Buffer.from(ip.split('.').map(Number))),
    );
    const extension = der(SEQUENCE, ALTERNATIVE_NAMES, der(OCTET_STRING, names));
    return {
      cert: this.#certificate(dns, publicKey, notAfter, extension),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    };
  }

  #certificate(subject: string, publicKey: KeyObject, notAfter: string, extension: Buffer): string {
    const body = der(
      SEQUENCE,
      der(EXPLICIT_0, VERSION_3),
      der(INTEGER, Buffer.from([0x01]), randomBytes(8)),
      ECDSA_SHA256,
      nameOf(this.#name),
      der(SEQUENCE, der(UTC_TIME, Buffer.from('200101000000Z')), der(UTC_TIME, Buffer.from(notAfter))),
      nameOf(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      der(EXPLICIT_3, der(SEQUENCE, extension)),
    );
    const signature = sign('sha256', body, this.#key);
    const bits = der(BIT_STRING, Buffer.from([0]), signature);
    return pem('CERTIFICATE', der(SEQUENCE, body, ECDSA_SHA256, bits));
  }
}
