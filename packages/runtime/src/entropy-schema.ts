import { isAbsolute } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { z } from 'zod';
import { parseDuration } from './duration.js';

const MAX_SOURCES = 32;
const MAX_TIMEOUT_MS = 3_600_000;
const MAX_REQUEST_BYTES = 2 ** 20;

const text = z.string().min(1).max(4096);
const path = text.refine(isAbsolute, 'a path begins with /');
const port = z.int().min(1).max(65_535);

/** A duration such as `10s`, which becomes `timeoutMs`. */
const timeout = z.string().transform((value, context) => {
  try {
    const ms = parseDuration(value);
    if (ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms;
    context.issues.push({ code: 'custom', message: 'a time limit is 1ms to 1h', input: value });
  } catch (error) {
    const message = error instanceof SymmetraError ? error.message : 'no duration';
    context.issues.push({ code: 'custom', message, input: value });
  }
  return z.NEVER;
});

const name = z.string().regex(/^[a-z0-9-]{1,32}$/, 'a name is 1 to 32 of a-z, 0-9 and "-"');

const claims = {
  name,
  physical: z.boolean(),
  quantum: z.boolean(),
  simulated: z.boolean().default(false),
  raw: z.boolean(),
  bitsPerSample: z.int().min(1).max(8),
  minEntropyPerSample: z.number().min(0).max(8),
  timeout: timeout.prefault('10s'),
};

const tlsFiles = { caFile: path.optional(), certFile: path.optional(), keyFile: path.optional() };
const pairOfFiles = (files: { certFile?: string | undefined; keyFile?: string | undefined }): boolean =>
  (files.certFile === undefined) === (files.keyFile === undefined);
const PAIR = 'certFile and keyFile go together';

const file = z.strictObject({ ...claims, kind: z.literal('file'), path });

const serial = z.strictObject({
  ...claims,
  kind: z.literal('serial'),
  path,
  baudRate: z.int().min(50).max(12_000_000).default(115_200),
  hardwareFlowControl: z.boolean().default(false),
});

const stream = z
  .strictObject({
    ...claims,
    kind: z.literal('stream'),
    path: path.optional(),
    host: text.optional(),
    port: port.optional(),
    protocol: z.enum(['raw', 'egd']).default('raw'),
    tls: z
      .strictObject({ ...tlsFiles, serverName: text.optional() })
      .refine(pairOfFiles, PAIR)
      .optional(),
    exposed: z.boolean().default(false),
  })
  .refine(
    (source) => (source.path === undefined) !== (source.host === undefined && source.port === undefined),
    'a stream has a path, or else a host and a port',
  )
  .refine(
    (source) => (source.host === undefined) === (source.port === undefined),
    'a host needs a port, and a port a host',
  )
  .refine((source) => source.path === undefined || source.tls === undefined, {
    path: ['tls'],
    message: 'a Unix socket has no TLS',
  });

const http = z
  .strictObject({
    ...claims,
    kind: z.literal('http'),
    url: text,
    profile: z.enum(['qrng-open-api', 'quantis', 'json', 'base64', 'hex', 'raw']),
    entropyType: text.optional(),
    jsonPath: z.string().max(1000).optional(),
    form: z.enum(['base64', 'hex', 'numbers']).optional(),
    bytesPerRequest: z.int().min(1).max(MAX_REQUEST_BYTES).default(4096),
    credentials: z
      .strictObject({ ...tlsFiles, bearerFile: path.optional(), apiKeyFile: path.optional() })
      .refine(pairOfFiles, PAIR)
      .optional(),
    exposed: z.boolean().default(false),
  })
  .refine(
    ({ profile, jsonPath, form }) =>
      (profile === 'json') === (jsonPath !== undefined) && (profile === 'json') === (form !== undefined),
    'the profile "json", and no other, has a jsonPath and a form',
  )
  .refine(({ profile, entropyType }) => profile === 'qrng-open-api' || entropyType === undefined, {
    path: ['entropyType'],
    message: 'only the profile "qrng-open-api" has it',
  });

const grpc = z.strictObject({
  ...claims,
  kind: z.literal('grpc'),
  host: text,
  port,
  source: z.string().max(32).default(''),
  serverName: text.optional(),
  credentials: z
    .strictObject({ ...tlsFiles, bearerFile: path.optional() })
    .refine(pairOfFiles, PAIR)
    .optional(),
  plaintext: z.boolean().default(false),
  exposed: z.boolean().default(false),
});

const pkcs11 = z.strictObject({
  ...claims,
  kind: z.literal('pkcs11'),
  module: path,
  token: text,
  pinFile: path.optional(),
});

const tpm = z
  .strictObject({
    ...claims,
    kind: z.literal('tpm'),
    path: path.optional(),
    socket: path.optional(),
    port: port.optional(),
  })
  .refine(
    (source) => [source.path, source.socket, source.port].filter((value) => value !== undefined).length === 1,
    'a TPM has a path, or else a socket, or else a port of this machine',
  );

const detector = z.strictObject({
  kind: z.literal('detector'),
  name,
  setup: z.enum(['beam-splitter', 'arrival-time']).default('arrival-time'),
  timeout: timeout.prefault('10s'),
});

const os = z.strictObject({ kind: z.literal('os'), name });

const source = z
  .discriminatedUnion('kind', [detector, os, file, serial, stream, http, grpc, pkcs11, tpm])
  .refine((ours) => !('bitsPerSample' in ours) || ours.minEntropyPerSample <= ours.bitsPerSample, {
    path: ['minEntropyPerSample'],
    message: 'a sample holds no more entropy than bits',
  })
  .refine((ours) => !('quantum' in ours) || !ours.quantum || ours.physical || ours.simulated, {
    path: ['quantum'],
    message: 'a quantum process is a physical one, or a simulated one',
  })
  .refine(
    (ours) => !('physical' in ours) || ours.physical || ours.simulated || ours.minEntropyPerSample === 0,
    {
      path: ['minEntropyPerSample'],
      message: 'only a physical process is credited with entropy; of another source, 0 is claimed',
    },
  );

/** The configuration of entropy, as it is written in a file. */
export const entropyConfig = z
  .strictObject({ sources: z.array(source).min(1).max(MAX_SOURCES) })
  .superRefine(({ sources }, context) => {
    const names = sources.map((ours) => ours.name);
    const i = names.findIndex((ours, place) => names.indexOf(ours) !== place);
    if (i < 0) return;
    context.addIssue({
      code: 'custom',
      path: ['sources', i, 'name'],
      message: 'another source has this name',
    });
  });

/** One source, checked and completed. */
export type ParsedSource = z.infer<typeof source>;
