import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { ExportedPsk } from '@symmetra/sdk';

/** Milliseconds after which a program that did not end is killed, so that a hanging test says why. */
const PATIENCE_MS = 30_000;
const SUITE = 'TLS_CHACHA20_POLY1305_SHA256';
const GNUTLS_PROFILE = 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305:-KX-ALL';

/** Whether a program is there. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, [program === 'openssl' ? 'version' : '--version']).status === 0;
}

/** A TLS program of somebody else: what it reads on its input goes into the connection, what comes out it prints. */
export class TlsProgram {
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;
  #stdout = Buffer.alloc(0);
  #stderr = '';
  #isOver = false;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: 'pipe', timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout = Buffer.concat([this.#stdout, chunk]);
      this.#wake();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isOver = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Writes into the connection. */
  send(bytes: Uint8Array): void {
    this.#child.stdin?.write(bytes);
  }

  /** Waits until the program has printed some bytes. @throws Error when it ends without them */
  async printed(wanted: Buffer | string): Promise<void> {
    while (!this.#stdout.includes(wanted)) {
      if (this.#isOver) throw new Error(`the program ended: ${this.#stdout.toString()}${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  /** Ends its input, and waits for its end. @returns all that it printed, the connection's bytes among it */
  async finish(): Promise<string> {
    this.#child.stdin?.end();
    await this.#ended;
    return this.#stdout.toString('latin1') + this.#stderr;
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** The port that `openssl s_server` listens on. */
  async port(): Promise<number> {
    await this.printed('ACCEPT ');
    await this.printed('\n');
    return Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(this.#stdout.toString('latin1'))?.[1]);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/**
 * Writes an external PSK as the session file that `openssl -psk_session` reads: a key has no business in a list of
 * arguments. With early data allowed, `openssl s_client -early_data` tries to send some.
 */
export async function writePskSession(file: string, psk: Uint8Array, earlyData = false): Promise<void> {
  const fields = [
    der(0x02, Buffer.of(1)),
    der(0x02, Buffer.of(3, 4)),
    der(0x04, Buffer.of(0x13, 3)),
    der(0x04, Buffer.alloc(0)),
    der(0x04, psk),
    ...(earlyData ? [der(0xaf, der(0x02, Buffer.of(0x40, 0)))] : []),
  ];
  const body = der(0x30, Buffer.concat(fields)).toString('base64').replaceAll(/.{64}/g, '$&\n');
  const label = 'SSL SESSION PARAMETERS';
  await writeFile(file, `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`, { mode: 0o600 });
}

function der(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}

/** `openssl s_client` under the PSK of a session file. */
export function opensslClient(
  port: number,
  session: string,
  identity: string,
  ...more: readonly string[]
): TlsProgram {
  const psk = ['-psk_session', session, '-psk_identity', identity];
  return opensslPlain(port, ...psk, '-tls1_3', '-ciphersuites', SUITE, ...more);
}

/** `openssl s_client` without a PSK. */
export function opensslPlain(port: number, ...more: readonly string[]): TlsProgram {
  return new TlsProgram('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...more]);
}

/** `openssl s_server` for one connection, at a free port, under the PSK of a session file. */
export function opensslServer(session: string, identity: string, ...more: readonly string[]): TlsProgram {
  const place = ['s_server', '-accept', '127.0.0.1:0', '-naccept', '1'];
  const psk = ['-psk_session', session, '-psk_identity', identity, '-nocert'];
  return new TlsProgram('openssl', [...place, ...psk, ...more]);
}

/** `gnutls-cli`. It takes its PSK as an argument and in no other way: here it is the key of a test. */
export function gnutlsClient(
  port: number,
  { identity, psk }: ExportedPsk,
  exchange: 'ECDHE-PSK' | 'PSK' = 'ECDHE-PSK',
): TlsProgram {
  const key = ['--pskusername', identity, '--pskkey', Buffer.from(psk).toString('hex')];
  const profile = ['--priority', `${GNUTLS_PROFILE}:+${exchange}`];
  return new TlsProgram('gnutls-cli', [...key, ...profile, '--port', String(port), '127.0.0.1']);
}
