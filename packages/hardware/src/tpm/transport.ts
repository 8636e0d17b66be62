import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { SymmetraError, concat, wipe } from '@symmetra/crypto';
import { TPM_MAX_RESPONSE_BYTES, badResponse, responseLength } from './codec.js';

/** Where a TPM is: a device such as /dev/tpmrm0, a Unix socket, or a TCP port; sockets as swtpm opens them. */
export type TpmAddress =
  | { readonly device: string }
  | { readonly socket: string }
  | { readonly host: string; readonly port: number };

/** Brings one command at a time to a TPM, and its response back. */
export interface TpmTransport {
  /** @throws TPM_GONE, TPM_BAD_RESPONSE; what the system says of a device. After an error it is of no more use. */
  transact(command: Uint8Array): Promise<Uint8Array>;
  /** Never rejected; may be called twice. */
  close(): Promise<void>;
}

/** @throws what the system says when there is no such device or nobody listens. */
export async function openTransport(address: TpmAddress): Promise<TpmTransport> {
  if ('device' in address) return new DeviceTransport(await open(address.device, 'r+'));
  const socket = connect('socket' in address ? { path: address.socket } : { ...address, noDelay: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return new SocketTransport(socket);
}

class DeviceTransport implements TpmTransport {
  readonly #device: FileHandle;

  constructor(device: FileHandle) {
    this.#device = device;
  }

  async transact(command: Uint8Array): Promise<Uint8Array> {
    // One write is one command for the driver, and one read its whole response; read(2) may still give less.
    await this.#device.write(command);
    const buffer = new Uint8Array(TPM_MAX_RESPONSE_BYTES);
    try {
      for (let length = 0; ;) {
        const { bytesRead } = await this.#device.read(buffer, length, buffer.length - length, null);
        if (bytesRead === 0) throw gone();
        length += bytesRead;
        if (responseLength(buffer.subarray(0, length)) === length) return buffer.slice(0, length);
      }
    } finally {
      wipe(buffer);
    }
  }

  async close(): Promise<void> {
    await this.#device.close().catch(() => undefined);
  }
}

class SocketTransport implements TpmTransport {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket.on('error', () => undefined);
  }

  async transact(command: Uint8Array): Promise<Uint8Array> {
    const early = this.#socket.readableLength;
    if (early > 0) throw badResponse('was not asked for', early);
    let response: Uint8Array = new Uint8Array();
    this.#socket.write(command);
    for (;;) {
      const chunk = await this.#chunk();
      const longer = concat(response, chunk);
      wipe(response, chunk);
      response = longer;
      if (responseLength(response) === response.length) return response;
    }
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }

  async #chunk(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      const settle = (): void => {
        socket.off('readable', onReadable).off('close', onClose).off('end', onClose);
      };
      const onReadable = (): void => {
        const chunk = socket.read() as Buffer | null;
        if (chunk === null) return;
        settle();
        resolve(chunk);
      };
      const onClose = (): void => {
        settle();
        reject(gone());
      };
      socket.on('readable', onReadable).on('close', onClose).on('end', onClose);
      if (socket.destroyed || socket.readableEnded) onClose();
      else onReadable();
    });
  }
}

function gone(): SymmetraError {
  return new SymmetraError('TPM_GONE', 'the TPM ended the connection');
}
