import { read } from 'node:fs';
import { promisify } from 'node:util';
import { SymmetraError } from '@symmetra/crypto';
import type { DarwinPortBinding, LinuxPortBinding } from '@serialport/bindings-cpp';
import { unavailable } from '../native.js';

const readOnce = promisify(read);
const NOTHING_YET = new Set(['EAGAIN', 'EWOULDBLOCK', 'EINTR']);

/** How a serial line is opened: 8 bits, no parity, 1 stop bit, exclusively. */
export interface SerialOptions {
  /** Such as /dev/ttyACM0. */
  readonly path: string;
  /** Bits in a second. */
  readonly baudRate: number;
  /** Lets the device wait by RTS and CTS. XON and XOFF can not be used: noise has their bytes. */
  readonly hardwareFlowControl: boolean;
}

/** A serial line that is read. One call at a time. */
export class SerialLine {
  readonly #port: LinuxPortBinding | DarwinPortBinding;
  #reading: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(port: LinuxPortBinding | DarwinPortBinding) {
    this.#port = port;
  }

  /**
   * Opens a line and throws away what it had received before.
   * @throws HARDWARE_UNAVAILABLE, SERIAL_FAILED
   */
  static async open(options: SerialOptions): Promise<SerialLine> {
    const open = await loadOpener();
    try {
      const { path, baudRate, hardwareFlowControl: rtscts } = options;
      const port = await open({
        path,
        baudRate,
        rtscts,
        dataBits: 8,
        parity: 'none',
        stopBits: 1,
        lock: true,
      });
      const line = new SerialLine(port);
      await port.flush().catch(async (error: unknown) => {
        await line.close();
        throw error;
      });
      return line;
    } catch (error) {
      throw failed('could not be opened', error);
    }
  }

  /**
   * Waits for bytes.
   * @param into where they go, from its start; at least one byte long.
   * @returns how many came, at least 1.
   * @throws SERIAL_GONE when the device was unplugged or the line was closed, SERIAL_FAILED
   */
  async read(into: Uint8Array): Promise<number> {
    const reading = this.#read(into);
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  /** Ends a call under way, too. Never rejected; may be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.poller.stop();
    await this.#reading;
    await this.#port.close().catch(() => undefined);
  }

  /** The binding's own read takes the end of an unplugged line for a pause, and asks on without one. */
  async #read(into: Uint8Array): Promise<number> {
    while (!this.#isClosed && this.#port.fd !== null) {
      try {
        const { bytesRead } = await readOnce(this.#port.fd, into, 0, into.length, null);
        if (bytesRead === 0) break;
        return bytesRead;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        if (error.code === 'EIO' || error.code === 'ENXIO') break;
        if (!NOTHING_YET.has(String(error.code))) throw failed('could not be read', error);
      }
      await this.#readable();
    }
    throw new SymmetraError('SERIAL_GONE', 'the serial line has ended');
  }

  /** Waits until there may be something to read; also until the line ends or is closed. */
  async #readable(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#port.poller.once('readable', () => resolve());
      if (this.#isClosed) resolve();
    });
  }
}

type Opener = (options: {
  path: string;
  baudRate: number;
  rtscts: boolean;
  dataBits: 8;
  parity: 'none';
  stopBits: 1;
  lock: boolean;
}) => Promise<LinuxPortBinding | DarwinPortBinding>;

/** @throws HARDWARE_UNAVAILABLE where the platform has no binary of the binding, or the binding no descriptor. */
async function loadOpener(): Promise<Opener> {
  try {
    const { LinuxBinding, DarwinBinding } = await import('@serialport/bindings-cpp');
    if (process.platform === 'linux') return async (options) => LinuxBinding.open(options);
    if (process.platform === 'darwin') return async (options) => DarwinBinding.open(options);
  } catch (error) {
    throw unavailable('serial lines', error);
  }
  throw unavailable('serial lines');
}

function failed(what: string, cause: unknown): SymmetraError {
  return new SymmetraError('SERIAL_FAILED', `the serial line ${what}`, {}, { cause });
}
