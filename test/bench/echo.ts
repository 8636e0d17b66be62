import { Client, credentials } from '@grpc/grpc-js';
import { cpuMs } from './cpu.js';
import { ECHO_SERVICE } from './echo-service.js';
import { Worker } from './worker.js';

const IN_FLIGHT = 64;
const MESSAGE = Buffer.alloc(256, 7);

/** CPU milliseconds at the server for one echo of 256 bytes, 64 in flight on one connection. */
export interface EchoResult {
  readonly messages: number;
  readonly unaryCpuMs: number;
  readonly streamCpuMs: number;
}

/** Measures a bare grpc-js server, as the floor under the other figures. */
export async function benchEcho(messages: number): Promise<EchoResult> {
  const server = new Worker('./echo-worker.ts');
  const client = new Client(`127.0.0.1:${await server.ask<number>({})}`, credentials.createInsecure());
  try {
    const measure = async (run: (count: number) => Promise<void>): Promise<number> => {
      await run(messages / 4);
      const before = cpuMs(server.pid);
      await run(messages);
      return (cpuMs(server.pid) - before) / messages;
    };
    return {
      messages,
      unaryCpuMs: await measure((count) => unary(client, count)),
      streamCpuMs: await measure((count) => stream(client, count)),
    };
  } finally {
    client.close();
    await server.end();
  }
}

async function unary(client: Client, count: number): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = ECHO_SERVICE.unary;
  let started = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, MESSAGE, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  const lane = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

function stream(client: Client, count: number): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = ECHO_SERVICE.stream;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  return new Promise((resolve, reject) => {
    let sent = 0;
    let received = 0;
    const send = (): void => {
      sent += 1;
      call.write(MESSAGE);
    };
    call.on('data', () => {
      received += 1;
      if (sent < count) send();
      else if (received >= count) call.end();
    });
    call.once('error', reject);
    call.once('end', () => resolve());
    for (let i = 0; i < Math.min(IN_FLIGHT, count); i++) send();
  });
}
