import { SymmetraError } from '@symmetra/crypto';
import { httpProfile, readRetryAfter } from '@symmetra/entropy';
import type { HttpProfileOptions, HttpRequest } from '@symmetra/entropy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from './effort.js';

const ASKED = 24;
const CAPABILITIES = { entropy: { max_block_size: 8, max_block_count: 8 } };

const never = new AbortController().signal;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** How an honest server of each profile writes its samples. */
const PROFILES: readonly (readonly [string, HttpProfileOptions, (bytes: Uint8Array) => Uint8Array])[] = [
  ['raw', { profile: 'raw' }, (bytes) => bytes],
  ['quantis', { profile: 'quantis' }, (bytes) => bytes],
  ['base64', { profile: 'base64' }, (bytes) => utf8(`${base64(bytes)}\n`)],
  ['hex', { profile: 'hex' }, (bytes) => utf8(hex(bytes))],
  [
    'numbers in JSON',
    { profile: 'json', jsonPath: 'result.0.data', form: 'numbers' },
    (bytes) => utf8(JSON.stringify({ result: [{ data: [...bytes] }] })),
  ],
  [
    'base64 in JSON',
    { profile: 'json', jsonPath: 'random', form: 'base64' },
    (bytes) => utf8(JSON.stringify({ random: [base64(bytes.subarray(0, 8)), base64(bytes.subarray(8))] })),
  ],
  [
    'hex in JSON',
    { profile: 'json', jsonPath: '', form: 'hex' },
    (bytes) => utf8(JSON.stringify(hex(bytes))),
  ],
  [
    'the QRNG Open API',
    { profile: 'qrng-open-api' },
    (bytes) => {
      const blocks = [0, 8, 16].map((start) => base64(bytes.subarray(start, start + 8)));
      return utf8(JSON.stringify({ entropy: blocks, extensions: [{ anything: null }] }));
    },
  ],
];

/** What a profile makes of bodies: the samples, or the code of the error. */
async function read(
  options: HttpProfileOptions,
  body: Uint8Array,
  capabilities?: Uint8Array,
): Promise<Uint8Array | string> {
  const call = async ({ url, maxBytes }: HttpRequest): Promise<Uint8Array> => {
    expect(maxBytes).toBeGreaterThanOrEqual(ASKED);
    const asksFirst = url.pathname.endsWith('/capabilities');
    return asksFirst ? (capabilities ?? utf8(JSON.stringify(CAPABILITIES))) : body.slice();
  };
  try {
    return await httpProfile('appliance', 'https://127.0.0.1/', options).ask(ASKED, call, never);
  } catch (error) {
    return error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
  }
}

const samples = fc.uint8Array({ minLength: ASKED, maxLength: ASKED });

/** Bodies of any kind, many of them nearly what was agreed. */
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map(utf8),
  fc.string({ maxLength: 100 }).map(utf8),
  fc.base64String({ maxLength: 100 }).map(utf8),
  fc
    .array(fc.base64String({ maxLength: 16 }), { maxLength: 6 })
    .map((entropy) => utf8(JSON.stringify({ entropy }))),
  fc
    .array(fc.oneof(fc.nat(300), fc.double(), fc.constant(null)))
    .map((data) => utf8(JSON.stringify({ result: [{ data }] }))),
);

describe.each(PROFILES)('a server of %s', (_, options, write) => {
  it('gives the samples that it wrote', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (bytes) => {
        expect(Buffer.compare((await read(options, write(bytes))) as Uint8Array, bytes)).toBe(0);
      }),
      effort(50),
    );
  });

  it('gives as many samples as were asked for, or SOURCE_BAD_PAYLOAD, whatever it sends', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const outcome = await read(options, body);
        expect(typeof outcome === 'string' ? outcome : outcome.length).toSatisfy(
          (value) => value === 'SOURCE_BAD_PAYLOAD' || value === ASKED,
        );
      }),
      effort(200),
    );
  });

  it('gives no other number of samples when a body is cut or has one byte changed', async () => {
    await fc.assert(
      fc.asyncProperty(samples, fc.nat(), fc.nat(255), fc.boolean(), async (bytes, place, value, cut) => {
        const body = write(bytes).slice();
        const at = place % body.length;
        body[at] = value;
        const outcome = await read(options, cut ? body.subarray(0, at) : body);
        expect(typeof outcome === 'string' ? outcome : outcome.length).toSatisfy(
          (result) => result === 'SOURCE_BAD_PAYLOAD' || result === ASKED,
        );
      }),
      effort(200),
    );
  });
});

describe('capabilities of the QRNG Open API', () => {
  const size = fc.oneof(
    fc.integer({ min: -2, max: 20 }),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constant(null),
  );
  const limits = fc.record(
    { min_block_size: size, max_block_size: size, min_block_count: size, max_block_count: size },
    { requiredKeys: [] },
  );

  it('of any kind lead to a request that fits them, or to SOURCE_BAD_PAYLOAD', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          limits.map((entropy) => utf8(JSON.stringify({ entropy }))),
          bodies,
        ),
        async (stated) => {
          const outcome = await read({ profile: 'qrng-open-api' }, utf8('{"entropy":[]}'), stated);
          expect(outcome).toBe('SOURCE_BAD_PAYLOAD');
        },
      ),
      effort(300),
    );
  });
});

describe('Retry-After', () => {
  const HTTP_DATE = fc
    .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toUTCString());

  it('is a time that is not negative, or nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), HTTP_DATE),
        fc.option(fc.oneof(fc.string(), HTTP_DATE), { nil: undefined }),
        (value, date) => {
          const ms = readRetryAfter(value, date);
          expect(ms === undefined || (Number.isFinite(ms) && ms >= 0)).toBe(true);
        },
      ),
      effort(300),
    );
  });

  it('is seconds, or a date against the date of the reply', () => {
    expect(readRetryAfter('120', undefined)).toBe(120_000);
    expect(readRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', 'Fri, 31 Dec 1999 23:59:29 GMT')).toBe(30_000);
    expect(readRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', 'Sat, 01 Jan 2000 00:00:00 GMT')).toBe(0);
    expect(readRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', undefined)).toBeUndefined();
    expect(readRetryAfter(undefined, undefined)).toBeUndefined();
  });
});
