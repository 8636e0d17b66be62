import { SymmetraError } from '@symmetra/crypto';
import { DetectorSource } from '../detector/detector-source.js';
import { ARRIVAL_TIME_SETUP, BEAM_SPLITTER_SETUP } from '../detector/parameters.js';
import type { RandomBytes } from '../source.js';
import { ByteNoise } from './byte-noise.js';
import type { ByteFeed } from './byte-noise.js';
import type { SourceClock } from './clock.js';
import { checkExposure } from './exposure.js';
import { fileSource } from './file-source.js';
import { httpSource } from './http/http-source.js';
import type { HttpProfileOptions } from './http/profile.js';
import type { NoiseSource, SourceDescription } from './noise-source.js';
import { osNoise } from './os-noise.js';
import { pkcs11Source } from './pkcs11.js';
import { serialSource } from './serial.js';
import type {
  ClaimedConfig,
  GrpcConfig,
  HttpConfig,
  SourceConfig,
  StreamConfig,
  TpmConfig,
} from './source-config.js';
import { streamSource } from './stream-source.js';
import type { StreamAddress } from './stream-source.js';
import { loadPem, loadSecret } from './tls-files.js';
import type { PemTexts } from './tls-files.js';
import { tpmSource } from './tpm.js';

/** A source of an entropy server, as the client of the service takes it. */
export interface Upstream {
  /** What is claimed here; what the server says may not contradict it. */
  readonly expected: SourceDescription;
  /** host:port */
  readonly address: string;
  /** The name of the source at the server; empty: whichever it chooses. */
  readonly source: string;
  /** The name that the server's certificate must have, where it is not the host. */
  readonly serverName?: string;
  /** Reads the files anew. @throws SOURCE_CREDENTIAL */
  readonly credentials: () => Promise<PemTexts & { readonly encrypted: boolean; readonly bearer?: string }>;
}

/** What sources are given from outside. */
export interface SourceSurroundings {
  readonly clock: SourceClock;
  /** The seeds of simulated detectors. */
  readonly random: RandomBytes;
  /** Connects to an entropy server when it is first read: `NoiseFeed` of the package `rpc`. */
  readonly grpc: (upstream: Upstream) => ByteFeed;
}

/**
 * The source that a configuration describes. Nothing is opened or connected before the first read, so that a device
 * that is not there now keeps nobody from starting.
 * @throws BAD_CONFIG
 */
export function openSource(config: SourceConfig, surroundings: SourceSurroundings): NoiseSource {
  const { clock, random } = surroundings;
  switch (config.kind) {
    case 'detector': {
      const setup = config.setup === 'arrival-time' ? ARRIVAL_TIME_SETUP : BEAM_SPLITTER_SETUP;
      return new DetectorSource({ name: config.name, setup, random, clock, timeoutMs: config.timeoutMs });
    }
    case 'os':
      return osNoise(clock, config.name);
    default:
      return openClaimed(config, surroundings);
  }
}

function openClaimed(config: ClaimedConfig, surroundings: SourceSurroundings): NoiseSource {
  const { timeoutMs } = config;
  const base = { description: describe(config), clock: surroundings.clock, timeoutMs };
  switch (config.kind) {
    case 'file':
      return fileSource({ ...base, path: config.path });
    case 'serial': {
      const { path, baudRate, hardwareFlowControl } = config;
      return serialSource({ ...base, line: { path, baudRate, hardwareFlowControl } });
    }
    case 'stream':
      return streamSource({ ...base, address: streamAddress(config), protocol: config.protocol });
    case 'http': {
      const { url, bytesPerRequest, exposed, credentials = {} } = config;
      return httpSource({
        ...base,
        url,
        profile: httpProfileOf(config),
        credentials,
        bytesPerRequest,
        exposed,
      });
    }
    case 'grpc':
      return new ByteNoise({ ...base, feed: surroundings.grpc(upstreamOf(config, base.description)) });
    case 'pkcs11': {
      const { module, token: label, pinFile } = config;
      return pkcs11Source({ ...base, token: { module, label, ...(pinFile !== undefined && { pinFile }) } });
    }
    case 'tpm':
      return tpmSource({ ...base, address: tpmAddress(config) });
  }
}

function describe(config: ClaimedConfig): SourceDescription {
  const { name, kind, physical, quantum, simulated, raw, bitsPerSample, minEntropyPerSample } = config;
  return { name, kind, physical, quantum, simulated, raw, bitsPerSample, minEntropyPerSample };
}

function streamAddress({ name, path, host, port, tls, exposed }: StreamConfig): StreamAddress {
  if (path !== undefined && host === undefined && port === undefined) return { path };
  if (path !== undefined || host === undefined || port === undefined) {
    throw badConfig(name, 'a stream has a path, or else a host and a port');
  }
  return { host, port, exposed, ...(tls !== undefined && { tls }) };
}

function httpProfileOf({ name, profile, entropyType, jsonPath, form }: HttpConfig): HttpProfileOptions {
  switch (profile) {
    case 'qrng-open-api':
      return { profile, ...(entropyType !== undefined && { entropyType }) };
    case 'json':
      if (jsonPath === undefined || form === undefined) {
        throw badConfig(name, 'the profile "json" needs a jsonPath and a form');
      }
      return { profile, jsonPath, form };
    default:
      return { profile };
  }
}

function upstreamOf(config: GrpcConfig, expected: SourceDescription): Upstream {
  const { name, host, port, source, serverName, credentials = {}, plaintext, exposed } = config;
  const { bearerFile } = credentials;
  checkExposure(name, host, !plaintext, exposed);
  if (plaintext && bearerFile !== undefined) throw badConfig(name, 'no credential is sent without TLS');
  return {
    expected,
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    source,
    ...(serverName !== undefined && { serverName }),
    credentials: async () => ({
      encrypted: !plaintext,
      ...(await loadPem(name, credentials)),
      ...(bearerFile !== undefined && { bearer: await loadSecret(name, bearerFile) }),
    }),
  };
}

function tpmAddress({
  name,
  path,
  socket,
  port,
}: TpmConfig): { device: string } | { socket: string } | { host: string; port: number } {
  const given = [path, socket, port].filter((value) => value !== undefined);
  if (given.length === 1 && path !== undefined) return { device: path };
  if (given.length === 1 && socket !== undefined) return { socket };
  if (given.length === 1 && port !== undefined) return { host: '127.0.0.1', port };
  throw badConfig(name, 'a TPM has a path, or else a socket, or else a port of this machine');
}

function badConfig(name: string, message: string): SymmetraError {
  return new SymmetraError('BAD_CONFIG', message, { source: name });
}
