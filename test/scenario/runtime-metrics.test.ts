import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { MetricsServer } from '@symmetra/runtime';
import type { Metric } from '@symmetra/runtime';

const HOST = '127.0.0.1';

let refusals = 2;
const metrics: readonly Metric[] = [
  {
    name: 'symmetra_test_refusals_total',
    help: 'Refusals.',
    kind: 'counter',
    labelNames: ['tier'],
    read: () => [{ labels: { tier: 'full' }, value: refusals }],
  },
  {
    name: 'symmetra_test_seeds',
    help: 'Seeds.',
    kind: 'gauge',
    labelNames: [],
    read: () => [{ value: 7 }],
  },
];

let server: MetricsServer | undefined;
afterEach(async () => server?.stop());

async function start(): Promise<string> {
  server = new MetricsServer(metrics);
  return `http://${HOST}:${await server.start(HOST, 0)}`;
}

test('the metrics are read anew for each scrape, counters as they stand', async () => {
  const base = await start();
  const scrape = async () => (await fetch(`${base}/metrics`)).text();
  expect(await scrape()).toContain('symmetra_test_refusals_total{tier="full"} 2');
  refusals = 5;
  const text = await scrape();
  expect(text).toContain('symmetra_test_refusals_total{tier="full"} 5');
  expect(text).toContain('# TYPE symmetra_test_seeds gauge\nsymmetra_test_seeds 7');
});

test('nothing else is served, and nothing is taken', async () => {
  const base = await start();
  expect((await fetch(`${base}/`)).status).toBe(404);
  expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(405);
});

test('a port in use is named', async () => {
  const other = createServer().listen(0, HOST);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(new MetricsServer(metrics).start(HOST, port)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  other.close();
});
