import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createNkey } from '@symmetra/bus';
import { Secret } from '@symmetra/crypto';
import type { Descriptor } from '@symmetra/protocol';
import { LinkWorld, NatsServer, natsServerMissing } from '@symmetra/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NodeBus } from '../../packages/node/src/process/node-bus.js';
import type { NodeBusParts } from '../../packages/node/src/process/node-bus.js';
import { ProcessMeter } from '../../packages/node/src/process/process-meter.js';
import { codeOf } from '../scenario/link-talk.js';

const SUITE = 1;
const NOTHING = new Uint8Array(0);

describe.skipIf(natsServerMissing())('the bus of a node process', () => {
  const closers: (() => unknown)[] = [];

  afterEach(async () => {
    vi.restoreAllMocks();
    for (const close of closers.splice(0).toReversed()) await close();
  });

  async function world(): Promise<{
    readonly told: string[];
    readonly links: LinkWorld;
    readonly descriptor: Descriptor;
    readonly parts: (node: string, links: object) => Promise<NodeBusParts>;
    readonly file: (name: string, bytes: Uint8Array) => Promise<string>;
  }> {
    const server = await NatsServer.start();
    closers.push(async () => server.remove());
    const data = await mkdtemp(join(tmpdir(), 'node-bus-'));
    closers.push(async () => rm(data, { recursive: true }));
    const links = new LinkWorld('node bus', SUITE);
    const told: string[] = [];
    const tell = (fields: { code?: string }): void => void told.push(fields.code ?? '');
    const logger = { debug: tell, info: tell, warn: tell, error: tell };
    const meter = new ProcessMeter(links.clock);
    closers.push(() => meter.stop());
    const file = async (name: string, bytes: Uint8Array): Promise<string> => {
      await writeFile(join(data, name), bytes);
      return join(data, name);
    };
    const nkeySeedFile = await file('nkey.seed', createNkey().seed);
    const parts = async (node: string, settings: object): Promise<NodeBusParts> => {
      const config = {
        node,
        data,
        bus: { servers: [server.url], nkeySeedFile, logReplicas: 1 },
        links: { renewSeconds: 3600, ...settings },
      };
      const identity = links.identity(node);
      return {
        config,
        logger,
        identity,
        clock: links.clock,
        random: randomBytes,
        meter,
      } as unknown as NodeBusParts;
    };
    const nodes = ['node-1', 'node-2'].map((id) => {
      links.identity(id);
      return { id, kemKeys: links.described(id)?.kemKeys };
    });
    const descriptor = { networkId: links.context.networkId, nodes } as unknown as Descriptor;
    return { told, links, descriptor, parts, file };
  }

  it('LINK-7: a QKD source that is required and silent: no link comes about', async () => {
    const { told, links, descriptor, parts } = await world();
    const kme = createServer((socket) => closers.push(() => socket.destroy()));
    await new Promise<void>((resolve) => {
      kme.listen(0, '127.0.0.1', resolve);
    });
    closers.push(() => kme.close());
    const url = `http://127.0.0.1:${(kme.address() as AddressInfo).port}`;
    const qkd = (peer: string): object => ({
      qkd: { [peer]: { url, saeId: 'ours', peerSaeId: peer, required: true } },
    });
    const buses = [
      await NodeBus.open(await parts('node-1', qkd('node-2'))),
      await NodeBus.open(await parts('node-2', qkd('node-1'))),
    ] as const;
    const [one, two] = [buses[0].join(descriptor), buses[1].join(descriptor)];
    two.serve('echo', async () => NOTHING);
    await delay(100);
    const asked = codeOf(one.request('node-2', 'echo', NOTHING, { timeoutMs: 60_000 }));
    for (let step = 0; step < 60; step++) {
      await delay(20);
      links.clock.advance(100);
    }
    expect(await asked).toBe('NODE_UNREACHABLE');
    expect(told).toContain('QKD_UNAVAILABLE');
    await Promise.all([one.close(), two.close()]);
    for (const bus of buses) await bus.close();
  });

  it.each([0, 31])('LINK-7: a PSK of %i bytes: the node does not start', async (length) => {
    const { parts, file } = await world();
    const psk = await file('psk', new Uint8Array(length).fill(1));
    const opening = NodeBus.open(await parts('node-1', { pskFiles: { 'node-2': psk } }));
    expect(await codeOf(opening)).toBe('KEY_FILE_LENGTH');
  });

  it('erases the PSKs when something else keeps it from opening', async () => {
    const { parts, file } = await world();
    const made = vi.spyOn(Secret, 'of');
    const psk = await file('psk', new Uint8Array(32).fill(1));
    const caFile = join(psk, 'missing');
    const qkd = {
      'node-2': { url: 'https://127.0.0.1:1', saeId: 'a', peerSaeId: 'b', required: true, tls: { caFile } },
    };
    const opening = NodeBus.open(await parts('node-1', { pskFiles: { 'node-2': psk }, qkd }));
    await expect(opening).rejects.toThrow('missing');
    const psks = made.mock.results
      .map(({ value }) => value as Secret<string>)
      .filter(({ name }) => name === 'LinkPsk');
    expect(psks).toHaveLength(1);
    expect(() => psks[0]?.bytes).toThrow(expect.objectContaining({ code: 'SECRET_WIPED' }) as Error);
  });
});
