import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SymmetraError } from '@symmetra/crypto';
import type { Counter, Gauge, Registry } from './prometheus-library.js';

/** One value of a metric. Labels name parts of the system, never a device. */
export interface MetricValue {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric that is read when somebody asks for it. */
export interface Metric {
  /** `symmetra_<part>_<what>_<unit>`, ending in `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  /** A counter never falls while the process lives. */
  readonly kind: 'counter' | 'gauge';
  readonly labelNames: readonly string[];
  readonly read: () => readonly MetricValue[];
}

const PATH = '/metrics';

/** Serves metrics in the text format of Prometheus at `/metrics`, over plain HTTP, to read only. */
export class MetricsServer {
  readonly #metrics: readonly Metric[];
  #server: Server | undefined;

  constructor(metrics: readonly Metric[]) {
    this.#metrics = metrics;
  }

  /**
   * Listens.
   * @param port 0 takes a free one.
   * @returns the port.
   * @throws PORT_IN_USE, LISTEN_FAILED
   */
  async start(host: string, port: number): Promise<number> {
    const prometheus = await import('./prometheus-library.js');
    const registry = new prometheus.Registry();
    for (const metric of this.#metrics) register(prometheus, registry, metric);
    const server = createServer((request, response) => {
      if (request.url !== PATH || request.method !== 'GET') {
        response.writeHead(request.url === PATH ? 405 : 404).end();
        return;
      }
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        const taken = 'code' in cause && cause.code === 'EADDRINUSE';
        const [code, message] = taken
          ? ['PORT_IN_USE', `port ${port} of the metrics is in use`]
          : ['LISTEN_FAILED', 'the metrics can not listen on this address'];
        reject(new SymmetraError(code, message, { port }, { cause }));
      });
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
    });
  }

  /** Ends it, open connections included. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

/** The library, as it is loaded. */
interface Prometheus {
  readonly Counter: typeof Counter;
  readonly Gauge: typeof Gauge;
}

function register(
  prometheus: Prometheus,
  registry: Registry,
  { name, help, kind, labelNames, read }: Metric,
): void {
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (kind === 'gauge') {
    const gauge: Gauge = new prometheus.Gauge({
      ...options,
      collect: () => {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set({ ...labels }, value);
      },
    });
    return;
  }
  const counter: Counter = new prometheus.Counter({
    ...options,
    collect: () => {
      counter.reset();
      for (const { labels, value } of read()) counter.inc({ ...labels }, value);
    },
  });
}
