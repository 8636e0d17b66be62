import { NatsHails, connectNats } from '@symmetra/bus';
import type { NatsConnection } from '@symmetra/bus';
import { NatsServer, natsServerMissing } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const NETWORK = 'a'.repeat(32);

describe.skipIf(natsServerMissing())('calls to all processes of a node, over NATS', () => {
  let server: NatsServer;
  const connections: NatsConnection[] = [];

  beforeAll(async () => {
    server = await NatsServer.start();
  });

  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await server.remove();
  });

  async function join(node: string, instance: string, network = NETWORK) {
    const connection = await connectNats({ servers: [server.url], node });
    connections.push(connection);
    const hails = new NatsHails(connection, network, { node, instance });
    const heard: string[] = [];
    await hails.listen((name) => heard.push(name));
    return { hails, heard, connection };
  }

  it('are heard by each of the others and nobody else, and are names of processes', async () => {
    const [first, second, third] = [
      await join('node-1', '00000001'),
      await join('node-1', '00000002'),
      await join('node-1', '00000003'),
    ];
    const others = [await join('node-2', '00000004'), await join('node-1', '00000005', 'b'.repeat(32))];
    first.hails.hail();
    for (const junk of ['', 'any', '0000000G', '000000010']) {
      first.connection.core.publish(`symmetra.${NETWORK}.n.node-1.all`, Buffer.from(junk));
    }
    third.hails.close();
    third.hails.hail();
    for (const { core } of [...connections, ...connections]) await core.flush();
    expect([first.heard, second.heard.toSorted()]).toEqual([['00000003'], ['00000001', '00000003']]);
    for (const { heard } of others) expect(heard).toEqual([]);
  });
});
