import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Bus } from '@symmetra/bus';
import type { Clock, Metric, MetricValue } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { RunningNode } from '../node-ports.js';
import type { ControlReport } from '../control/assemble.js';
import type { PeerReport } from '../control/heartbeats.js';

const SECOND_MS = 1000;
const NANOSECONDS = 1e9;
const LAG_RESOLUTION_MS = 20;

/** How often something was done, and how long it took in all. */
class Tally {
  count = 0;
  ms = 0;
  failed = 0;
}

/** Counts what a node process does, for its metrics. */
export class ProcessMeter {
  readonly #clock: Clock;
  readonly #store = { get: new Tally(), commit: new Tally(), scan: new Tally() };
  readonly #requests = new Tally();
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #links = 0;
  #renewals = 0;
  #refusals = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lag.enable();
  }

  /** A link with another process came about, or was renewed. */
  link(renewed: boolean): void {
    if (renewed) this.#renewals += 1;
    else this.#links += 1;
  }

  /** Something that another process sent was refused. */
  refusal(): void {
    this.#refusals += 1;
  }

  /** The store, measured. */
  timed(store: Store): Store {
    const { get, commit, scan } = this.#store;
    return {
      get: async (key) => this.#measure(get, store.get(key)),
      commit: async (changes) => this.#measure(commit, store.commit(changes)),
      scan: async (prefix, options) => this.#measure(scan, store.scan(prefix, options)),
      close: async () => store.close(),
    };
  }

  /** The bus, measured. */
  counted(bus: Bus): Bus {
    return {
      self: bus.self,
      instance: bus.instance,
      request: async (...args) => this.#measure(this.#requests, bus.request(...args)),
      serve: (subject, handler) => bus.serve(subject, handler),
      close: async () => bus.close(),
    };
  }

  /** No longer watches the event loop. */
  stop(): void {
    this.#lag.disable();
  }

  /**
   * @param node the node that runs here; undefined while it is started anew
   * @param connected whether NATS is there
   */
  metrics(node: () => RunningNode | undefined, connected: () => boolean): readonly Metric[] {
    const gauge = (name: string, help: string, read: () => number | undefined): Metric =>
      metric('gauge', name, help, read);
    const counter = (name: string, help: string, read: () => number | undefined): Metric =>
      metric('counter', name, help, read);
    const control = (): ControlReport | undefined => node()?.control();
    return [
      gauge(
        'symmetra_node_fresh',
        '1 while enough nodes agree on the control log, else 0: then it makes no keys.',
        () => Number(control()?.isFresh ?? false),
      ),
      gauge(
        'symmetra_node_halted',
        '1 when the node has seen a fork of the control log, and makes no keys, else 0.',
        () => Number(control()?.isHalted ?? false),
      ),
      gauge(
        'symmetra_control_log_number',
        'Number of the newest control event in force.',
        () => control()?.number,
      ),
      counter(
        'symmetra_control_forgeries_total',
        'Control events of other nodes and of the log that do not verify.',
        () => control()?.forged,
      ),
      counter(
        'symmetra_control_logs_lost_total',
        'Times that the ordered log was truncated or made anew.',
        () => control()?.logsLost,
      ),
      perPeer(
        'symmetra_peer_age_seconds',
        'How old the last word of another node is.',
        control,
        ({ ageMs }) => ageMs,
      ),
      perPeer(
        'symmetra_peer_clock_skew_seconds',
        'How far the clock of another node is ahead.',
        control,
        ({ skewMs }) => skewMs,
      ),
      gauge('symmetra_node_sessions', 'Open sessions of devices.', () => node()?.load().sessions),
      gauge('symmetra_node_device_links', 'Open links to devices.', () => node()?.load().links),
      gauge('symmetra_bus_connected', '1 while NATS is there, else 0.', () => Number(connected())),
      counter('symmetra_bus_requests_total', 'Requests to other processes.', () => this.#requests.count),
      counter(
        'symmetra_bus_failures_total',
        'Those that failed or were refused.',
        () => this.#requests.failed,
      ),
      counter(
        'symmetra_bus_request_seconds_total',
        'How long they took, together.',
        () => this.#requests.ms / SECOND_MS,
      ),
      counter('symmetra_bus_links_total', 'Links that came about with other processes.', () => this.#links),
      counter('symmetra_bus_link_renewals_total', 'Links whose keys were renewed.', () => this.#renewals),
      counter(
        'symmetra_bus_refusals_total',
        'Messages of other processes that were refused.',
        () => this.#refusals,
      ),
      this.#storeMetric('symmetra_store_operations_total', 'Operations of the store.', ({ count }) => count),
      this.#storeMetric('symmetra_store_failures_total', 'Those that failed.', ({ failed }) => failed),
      this.#storeMetric(
        'symmetra_store_seconds_total',
        'How long they took, together.',
        ({ ms }) => ms / SECOND_MS,
      ),
      {
        name: 'symmetra_event_loop_lag_seconds',
        help: 'How late the event loop was since the last reading.',
        kind: 'gauge',
        labelNames: ['quantile'],
        read: () => this.#readLag(),
      },
    ];
  }

  #storeMetric(name: string, help: string, read: (tally: Tally) => number): Metric {
    return {
      name,
      help,
      kind: 'counter',
      labelNames: ['operation'],
      read: () =>
        Object.entries(this.#store).map(([operation, tally]) => ({
          labels: { operation },
          value: read(tally),
        })),
    };
  }

  #readLag(): readonly MetricValue[] {
    const at = (quantile: string, nanoseconds: number): MetricValue => ({
      labels: { quantile },
      value: Math.max(0, nanoseconds / NANOSECONDS - LAG_RESOLUTION_MS / SECOND_MS),
    });
    const values = [
      at('0.5', this.#lag.percentile(50)),
      at('0.99', this.#lag.percentile(99)),
      at('1', this.#lag.max),
    ];
    this.#lag.reset();
    return values;
  }

  async #measure<Result>(tally: Tally, operation: Promise<Result>): Promise<Result> {
    const begun = this.#clock.monotonic();
    tally.count += 1;
    try {
      return await operation;
    } catch (error) {
      tally.failed += 1;
      throw error;
    } finally {
      tally.ms += this.#clock.monotonic() - begun;
    }
  }
}

function perPeer(
  name: string,
  help: string,
  control: () => ControlReport | undefined,
  ms: (peer: PeerReport) => number | undefined,
): Metric {
  return {
    name,
    help,
    kind: 'gauge',
    labelNames: ['peer'],
    read: () =>
      (control()?.peers ?? []).flatMap((peer) => {
        const value = ms(peer);
        return value === undefined ? [] : [{ labels: { peer: peer.node }, value: value / SECOND_MS }];
      }),
  };
}

function metric(kind: Metric['kind'], name: string, help: string, read: () => number | undefined): Metric {
  return {
    name,
    help,
    kind,
    labelNames: [],
    read: () => {
      const value = read();
      return value === undefined ? [] : [{ value }];
    },
  };
}
