import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { InProcessLog, connectNats, openNatsLog } from '@symmetra/bus';
import type { NatsConnection } from '@symmetra/bus';
import { ManualClock, NatsServer, natsServerMissing } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeLogStream } from './log-stream-suite.js';

async function turns(): Promise<void> {
  for (let i = 0; i < 40; i++) await new Promise(setImmediate);
}

describeLogStream('in one process', async () => {
  const clock = new ManualClock();
  const log = new InProcessLog(clock);
  return {
    join: async () => log.join(),
    recreate: async () => log.recreate(),
    pass: async (ms) => {
      await turns();
      clock.advance(ms);
      await turns();
    },
  };
});

describe('the log of one process', () => {
  it('that lost its end is handed over from its start', async () => {
    const log = new InProcessLog(new ManualClock());
    const member = log.join();
    for (let i = 0; i < 3; i++) await member.append(Uint8Array.of(i), i);
    const seen: number[] = [];
    member.follow(0, async ({ data }) => void seen.push(Number(data[0])));
    await turns();
    log.tamper(log.entries.slice(0, 1));
    await turns();
    expect(await member.state()).toMatchObject({ last: 1 });
    expect(seen).toEqual([0, 1, 2, 0]);
    await member.close();
  });

  it('goes past entries that are missing', async () => {
    const log = new InProcessLog(new ManualClock());
    const member = log.join();
    for (let i = 0; i < 3; i++) await member.append(Uint8Array.of(i), i);
    log.tamper(log.entries.filter(({ sequence }) => sequence !== 2));
    const seen: number[] = [];
    member.follow(0, async ({ sequence }) => void seen.push(sequence));
    await turns();
    expect(seen).toEqual([1, 3]);
    await member.close();
  });

  it('leaves no timer behind', async () => {
    const clock = new ManualClock();
    const member = new InProcessLog(clock).join();
    await member.append(Uint8Array.of(1), 0);
    member.follow(0, () => Promise.reject(new Error('never')));
    await turns();
    expect(clock.pendingTimers).toBe(1);
    await member.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe.skipIf(natsServerMissing())('over NATS', () => {
  let server: NatsServer;
  let keeper: NatsConnection;
  const connections: NatsConnection[] = [];

  beforeAll(async () => {
    server = await NatsServer.start();
    keeper = await connectNats({ servers: [server.url], node: 'keeper' });
  });

  afterAll(async () => {
    for (const connection of [...connections, keeper]) await connection.close();
    await server.remove();
  });

  describeLogStream('JetStream', async () => {
    const networkIdHex = randomBytes(16).toString('hex');
    return {
      join: async () => {
        const node = `n${connections.length}`;
        const connection = await connectNats({ servers: [server.url], node });
        connections.push(connection);
        return openNatsLog(connection, { networkIdHex, node, replicas: 1 });
      },
      recreate: async () => {
        const manager = await keeper.core.jetstreamManager();
        await manager.streams.delete(`SYMMETRA_${networkIdHex}`);
      },
      pass: async (ms) => delay(ms),
    };
  });
});
