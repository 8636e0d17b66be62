import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { SymmetraError } from '@symmetra/crypto';
import { readLines } from './line-reader.js';
import { controlSocketPath } from './owner-protocol.js';
import type { OwnerReply, OwnerRequest } from './owner-protocol.js';

/**
 * Has the process that owns a state directory carry out a command.
 * @returns its result, yet to be checked
 * @throws NO_OWNER when no process owns the state or it takes no commands, OWNER_GONE when it ended meanwhile, and what
 *   the command throws
 */
export async function callOwner(
  state: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const socket = await reach(state);
  try {
    const reply = await ask(socket, { id: 1, method, params });
    if ('result' in reply) return reply.result;
    const { code, message, details } = reply.error;
    throw new SymmetraError(code, message, details);
  } finally {
    socket.destroy();
  }
}

async function reach(state: string): Promise<Socket> {
  const path = controlSocketPath(state);
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new SymmetraError('NO_OWNER', 'no process owns the state directory'));
    if (path === undefined) {
      fail();
      return;
    }
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeListener('error', fail);
      resolve(socket);
    });
    socket.once('error', fail);
  });
}

async function ask(socket: Socket, request: OwnerRequest): Promise<OwnerReply> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      reject(new SymmetraError('OWNER_GONE', 'the process that owns the state directory ended'));
    };
    socket.on('error', gone);
    socket.once('close', gone);
    readLines(socket, (line) => {
      try {
        resolve(JSON.parse(line) as OwnerReply);
      } catch {
        gone();
      }
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
