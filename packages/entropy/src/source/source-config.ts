import type { TextForm } from './http/payload.js';
import type { TlsFiles } from './tls-files.js';

/** What the configuration says of any device or server, which can not be asked for it. */
interface Claimed {
  /** 1 to 32 of a-z, 0-9 and `-`. */
  readonly name: string;
  readonly physical: boolean;
  readonly quantum: boolean;
  readonly simulated: boolean;
  readonly raw: boolean;
  /** 1 to 8. */
  readonly bitsPerSample: number;
  /** In bits, at most `bitsPerSample`; 0: nothing is claimed. */
  readonly minEntropyPerSample: number;
  /** Milliseconds within which a read must be answered. */
  readonly timeoutMs: number;
}

/** A character device, a file or a FIFO. */
interface FileConfig extends Claimed {
  readonly kind: 'file';
  readonly path: string;
}

/** A device on a serial line. */
interface SerialConfig extends Claimed {
  readonly kind: 'serial';
  readonly path: string;
  /** Bits in a second. */
  readonly baudRate: number;
  readonly hardwareFlowControl: boolean;
}

/** A Unix socket (`path`) or a TCP port. */
export interface StreamConfig extends Claimed {
  readonly kind: 'stream';
  readonly path?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol: 'raw' | 'egd';
  readonly tls?: (TlsFiles & { readonly serverName?: string | undefined }) | undefined;
  readonly exposed: boolean;
}

/** A server that is asked over HTTP. */
export interface HttpConfig extends Claimed {
  readonly kind: 'http';
  readonly url: string;
  readonly profile: 'qrng-open-api' | 'quantis' | 'json' | 'base64' | 'hex' | 'raw';
  /** Of the profile `qrng-open-api`. */
  readonly entropyType?: string | undefined;
  /** Of the profile `json`, as is `form`. */
  readonly jsonPath?: string | undefined;
  readonly form?: TextForm | undefined;
  readonly bytesPerRequest: number;
  readonly credentials?:
    | (TlsFiles & { readonly bearerFile?: string | undefined; readonly apiKeyFile?: string | undefined })
    | undefined;
  readonly exposed: boolean;
}

/** A source of an entropy server over gRPC (symmetra.entropy.v1). */
export interface GrpcConfig extends Claimed {
  readonly kind: 'grpc';
  readonly host: string;
  readonly port: number;
  /** The name of the source there; empty: whichever the server chooses. */
  readonly source: string;
  readonly serverName?: string | undefined;
  readonly credentials?: (TlsFiles & { readonly bearerFile?: string | undefined }) | undefined;
  /** Without TLS. */
  readonly plaintext: boolean;
  readonly exposed: boolean;
}

/** The generator of a PKCS#11 token. */
interface Pkcs11Config extends Claimed {
  readonly kind: 'pkcs11';
  readonly module: string;
  readonly token: string;
  readonly pinFile?: string | undefined;
}

/** The generator of a TPM: a device (`path`), a Unix socket (`socket`) or a TCP port of this machine. */
export interface TpmConfig extends Claimed {
  readonly kind: 'tpm';
  readonly path?: string | undefined;
  readonly socket?: string | undefined;
  readonly port?: number | undefined;
}

/** The simulated detector, which describes itself. */
interface DetectorConfig {
  readonly kind: 'detector';
  readonly name: string;
  readonly setup: 'beam-splitter' | 'arrival-time';
  readonly timeoutMs: number;
}

/** The operating system, which is credited with nothing. */
interface OsConfig {
  readonly kind: 'os';
  readonly name: string;
}

/** One source as a configuration file describes it; the package `runtime` reads and checks the file. */
export type SourceConfig =
  | DetectorConfig
  | FileConfig
  | GrpcConfig
  | HttpConfig
  | OsConfig
  | Pkcs11Config
  | SerialConfig
  | StreamConfig
  | TpmConfig;

/** The kinds whose description stands in the configuration. */
export type ClaimedConfig = Exclude<SourceConfig, DetectorConfig | OsConfig>;
