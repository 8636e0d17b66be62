import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsWire, connectNats } from '@symmetra/bus';
import { LinkWorld, NatsServer, natsServerMissing } from '@symmetra/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeBus } from './bus-suite.js';

/** Milliseconds in which a server of this machine passes on whatever was sent. */
const UNDER_WAY_MS = 150;

describeBus('over links', async () => {
  const world = new LinkWorld('bus-linked');
  return {
    join: async (nodeId) => world.join(nodeId),
    pass: async (ms) => world.pass(ms),
  };
});

describe.skipIf(natsServerMissing())('with a server', () => {
  let server: NatsServer;
  const connections: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await NatsServer.start();
  });

  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await server.stop();
  });

  describeBus('over links over NATS', async () => {
    const world = new LinkWorld(`bus-nats ${randomBytes(8).toString('hex')}`);
    const networkIdHex = Buffer.from(world.context.networkId).toString('hex');
    return {
      async join(nodeId) {
        const connection = await connectNats({ servers: [server.url], node: nodeId });
        connections.push(connection);
        const instance = randomBytes(4).toString('hex');
        const bus = world.join(
          nodeId,
          {},
          new NatsWire(connection, { networkIdHex, node: nodeId, instance }),
        );
        await connection.core.flush();
        return bus;
      },
      async pass(ms) {
        await delay(UNDER_WAY_MS);
        world.clock.advance(ms);
        await delay(UNDER_WAY_MS);
      },
    };
  });
});
