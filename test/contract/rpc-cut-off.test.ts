import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { NodeClient } from '@symmetra/rpc';
import type { LinkStream } from '@symmetra/rpc';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RpcWorld, until } from './rpc-fixture.js';

/** A way to a node that swallows everything from some moment on, and keeps its connections open. */
async function swallowingWay(port: number): Promise<{ readonly port: number; readonly swallow: () => void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    swallow: () => {
      for (const socket of sockets) socket.unpipe().resume();
    },
  };
}

describe('a link to a node that is cut off without a word', () => {
  it('is over within seconds, also where the device only listens', { timeout: 25_000 }, async () => {
    const links: LinkStream[] = [];
    const world = await RpcWorld.start({ link: (stream) => void links.push(stream) });
    onTestFinished(async () => world.close());
    const way = await swallowingWay(world.port);
    const client = new NodeClient(`127.0.0.1:${way.port}`);
    onTestFinished(() => client.close());
    const code = new Promise((resolve) => {
      client.connectLink().onClose((reason) => resolve(reason?.code));
    });
    await until(() => links.length === 1);
    way.swallow();
    expect(await code).toBe('NODE_UNREACHABLE');
  });
});
