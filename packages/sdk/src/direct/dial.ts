import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Timers } from '../timers.js';
import { parseAddress } from './addresses.js';

const CONNECT_MS = 3000;
const MAX_ADDRESSES = 4;

/** Connects to the first of a peer's addresses that answers; undefined when none does. */
export async function dial(addresses: readonly string[], timers: Timers): Promise<Socket | undefined> {
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    const socket = await dialOne(address, timers);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

async function dialOne(address: string, timers: Timers): Promise<Socket | undefined> {
  const endpoint = parseAddress(address);
  if (endpoint === undefined) return undefined;
  return new Promise((resolve) => {
    const socket = connect(endpoint);
    const timer = timers.set(CONNECT_MS, () => socket.destroy());
    socket.once('connect', () => {
      timer.cancel();
      resolve(socket);
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      timer.cancel();
      resolve(undefined);
    });
  });
}
