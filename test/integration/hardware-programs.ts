import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TpmAddress } from '@symmetra/hardware';
import { freePorts } from '@symmetra/testing';

/*
 * Stand-ins for hardware: SoftHSM2 for a security module, swtpm for a TPM, a pseudo terminal for a serial line.
 */

const SWTPM = 'swtpm';
const SOFTHSM_TOOL = 'softhsm2-util';
const SOFTHSM_MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

export function hasProgram(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Whether this process has CAP_SYS_ADMIN: bit 21 of its capabilities (<linux/capability.h>). */
export function mayFeedKernel(): boolean {
  if (process.platform !== 'linux') return false;
  const [, set = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${set}`) >> 21n) & 1n) === 1n;
}

/** The module of SoftHSM2, where its tool is installed, too. */
export function findSoftHsm(): string | undefined {
  if (!hasProgram(SOFTHSM_TOOL)) return undefined;
  return SOFTHSM_MODULES.find((path) => existsSync(path));
}

/** A directory with tokens of SoftHSM2, for this process. */
export class SoftHsm {
  readonly folder: string;
  readonly #before = process.env['SOFTHSM2_CONF'];

  private constructor(folder: string) {
    this.folder = folder;
    process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf');
  }

  static async make(): Promise<SoftHsm> {
    const folder = await mkdtemp(join(tmpdir(), 'symmetra-hsm-'));
    const tokens = join(folder, 'tokens');
    await mkdir(tokens);
    await writeFile(
      join(folder, 'softhsm2.conf'),
      `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
    );
    return new SoftHsm(folder);
  }

  addToken(label: string, pin: string): void {
    const pins = ['--pin', pin, '--so-pin', pin];
    execFileSync(SOFTHSM_TOOL, ['--init-token', '--free', '--label', label, ...pins], { stdio: 'ignore' });
  }

  async remove(): Promise<void> {
    if (this.#before === undefined) delete process.env['SOFTHSM2_CONF'];
    else process.env['SOFTHSM2_CONF'] = this.#before;
    await rm(this.folder, { recursive: true });
  }
}

/** A TPM of software, at a Unix socket or a TCP port. Like one of hardware without firmware, it waits for a start-up. */
export class Swtpm {
  readonly address: TpmAddress;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(address: TpmAddress, folder: string, server: string) {
    this.address = address;
    this.#folder = folder;
    const state = `dir=${folder}`;
    this.#args = ['socket', '--tpm2', '--tpmstate', state, '--server', server, '--flags', 'not-need-init'];
  }

  static async start(kind: 'tcp' | 'unix'): Promise<Swtpm> {
    const folder = await mkdtemp(join(tmpdir(), 'symmetra-tpm-'));
    const socket = join(folder, 'socket');
    const [port = 0] = await freePorts(1);
    const made =
      kind === 'unix'
        ? new Swtpm({ socket }, folder, `type=unixio,path=${socket}`)
        : new Swtpm({ host: '127.0.0.1', port }, folder, `type=tcp,port=${port},bindaddr=127.0.0.1`);
    await made.powerOn();
    return made;
  }

  /** Starts the process, and waits until it listens. */
  async powerOn(): Promise<void> {
    const pidFile = join(this.#folder, 'pid');
    await rm(pidFile, { force: true });
    const child = spawn(SWTPM, [...this.#args, '--pid', `file=${pidFile}`], { stdio: 'ignore' });
    this.#child = child;
    for (let i = 0; i < 500 && !existsSync(pidFile); i++) {
      if (child.exitCode !== null) break;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    if (!existsSync(pidFile)) throw new Error(`swtpm did not start: ${child.exitCode}`);
  }

  /** Ends the process as a power cut does. */
  async powerOff(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.powerOff();
    await rm(this.#folder, { recursive: true });
  }
}

/*
 * A device at a pseudo terminal. `plug` makes one and links it to the path; `send N` lets it send so many random bytes,
 * `flood` send on for ever, `relay` pass on what comes to a Unix socket and back; `unplug` ends it.
 */
const PTY_PROGRAM = `
import os, socket, sys, threading, tty

path, master, slave = sys.argv[1], -1, -1

def flood(end):
    try:
        while True:
            os.write(end, os.urandom(1024))
    except OSError:
        pass

def relay(end, address):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(address)
    def back():
        while True:
            data = peer.recv(4096)
            if not data:
                return
            os.write(end, data)
    threading.Thread(target=back, daemon=True).start()
    try:
        while True:
            peer.sendall(os.read(end, 4096))
    except OSError:
        peer.shutdown(socket.SHUT_RDWR)

for line in sys.stdin:
    words = line.split()
    if words[0] == 'plug':
        master, slave = os.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), path)
    elif words[0] == 'unplug':
        os.unlink(path)
        os.close(slave)
        os.close(master)
    elif words[0] == 'send':
        os.write(master, os.urandom(int(words[1])))
    elif words[0] == 'flood':
        threading.Thread(target=flood, args=(master,), daemon=True).start()
    elif words[0] == 'relay':
        threading.Thread(target=relay, args=(master, words[1]), daemon=True).start()
    print('done', flush=True)
`;

/** A serial device that can be unplugged, or any other character device. */
export class PtyDevice {
  readonly path: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'ttyACM0');
    const child = spawn('python3', ['-c', PTY_PROGRAM, this.path], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** A device that is plugged in and does what the command says. */
  static async start(...commands: string[]): Promise<PtyDevice> {
    const device = new PtyDevice(await mkdtemp(join(tmpdir(), 'symmetra-pty-')));
    for (const command of ['plug', ...commands]) await device.tell(command);
    return device;
  }

  /** @returns when the command is carried out. */
  async tell(command: string): Promise<void> {
    this.#child.stdin?.write(`${command}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`the pseudo terminal did not ${command}`);
  }

  async remove(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true });
  }
}
