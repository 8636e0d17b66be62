import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { SymmetraError } from '@symmetra/crypto';
import type { Logger } from '@symmetra/runtime';
import type { Device } from '../device.js';
import { asSymmetraError, codeOf } from '../failure.js';
import { readLines } from './line-reader.js';
import { carryOut } from './owner-methods.js';
import { controlSocketPath } from './owner-protocol.js';
import type { OwnerReply } from './owner-protocol.js';

const PRIVATE_SOCKET = 0o600;
const MAX_CONNECTIONS = 32;

/**
 * Takes commands from other processes of the same user, on a socket in the state directory: a line of JSON each way.
 * Secrets never cross it; what is to be written to a file is written here.
 * @returns what ends it
 */
export async function serveOwner(
  device: Device,
  state: string,
  logger: Logger,
): Promise<() => Promise<void>> {
  const path = controlSocketPath(state);
  if (path === undefined) {
    logger.warn({ path: state }, 'The path of the state is too long for a control socket.');
    return async () => undefined;
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    readLines(socket, (line) => void answer(device, socket, line, logger));
  });
  server.maxConnections = MAX_CONNECTIONS;
  // This process owns the directory: a socket that is there was left by one that is gone.
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new SymmetraError('CONTROL_FAILED', 'the control socket could not be made', {}, { cause: error }),
      ),
    );
    server.listen(path, resolve);
  });
  await chmod(path, PRIVATE_SOCKET);
  return async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  };
}

async function answer(device: Device, socket: Socket, line: string, logger: Logger): Promise<void> {
  let id = 0;
  let reply: OwnerReply;
  try {
    const request = parse(line);
    id = request.id;
    reply = { id, result: await carryOut(device, request.method, request.params) };
  } catch (error) {
    const { code, message, details } = asSymmetraError(error);
    logger.debug({ code: codeOf(error), err: error }, 'A command failed.');
    reply = { id, error: { code, message, details } };
  }
  if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
}

function parse(line: string): { id: number; method: string; params: Record<string, unknown> } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const { id, method, params } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'number' || typeof method !== 'string' || typeof params !== 'object' || params === null) {
    throw new SymmetraError('BAD_COMMAND', 'a command has an id, a method and parameters');
  }
  return { id, method, params: params as Record<string, unknown> };
}
