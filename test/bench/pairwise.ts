import { join } from 'node:path';
import { BenchCluster } from './cluster.js';
import { cpuMs } from './cpu.js';
import { BenchNetwork } from './network.js';
import { Worker } from './worker.js';

const IN_FLIGHT = 64;
const WARM_UP = 600;
/** A node runs for months: it has made so many keys before it is measured, so that the engine has compiled what is hot. */
const NODES_WARM_UP = 10_000;

/** What one run of the main job costs. */
export interface PairwiseResult {
  readonly keys: number;
  /** CPU milliseconds per completed key, summed over the nodes. */
  readonly serverCpuMsPerKey: number;
  /** Those of a node: the sum divided by the number of nodes where they share a process, else one for each. */
  readonly nodeCpuMsPerKey: number | readonly number[];
  /** CPU milliseconds per completed key, summed over the two devices. */
  readonly deviceCpuMsPerKey: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Only in a cluster: the most that a node used, and what NATS did. */
  readonly worstNodeCpuMsPerKey?: number;
  readonly natsCpuMsPerKey?: number;
}

/** Nodes that keys are agreed on through. */
interface Nodes {
  readonly folder: string;
  /** The processes that the nodes are, and how many nodes are in each. */
  readonly pids: readonly number[];
  readonly nodesPerProcess: number;
  /** The process that carries their messages, when there is one. */
  readonly natsPid?: number;
  token(): Promise<string>;
  end(): Promise<void>;
}

/** Measures completed pairwise keys, with and without the direct KEM, one network and two devices for both. */
export async function benchPairwise(
  keys: number,
): Promise<{ pairwise: PairwiseResult; pairwiseSymmetric: PairwiseResult }> {
  const { direct, symmetric } = await measure(await BenchNetwork.start(), keys);
  return { pairwise: direct, pairwiseSymmetric: symmetric };
}

/** The same with one process for each node, over NATS. */
export async function benchPairwiseCluster(
  keys: number,
): Promise<{ pairwise: PairwiseResult; pairwiseDirect: PairwiseResult }> {
  const { direct, symmetric } = await measure(await BenchCluster.start(), keys);
  return { pairwise: symmetric, pairwiseDirect: direct };
}

async function measure(
  network: Nodes,
  keys: number,
): Promise<{ direct: PairwiseResult; symmetric: PairwiseResult }> {
  const alice = new Worker('./device-worker.ts');
  const bob = new Worker('./device-worker.ts');
  try {
    const state = (name: string): string => join(network.folder, name);
    await alice.ask({ kind: 'enrol', token: await network.token(), state: state('alice'), listen: false });
    const peer = await bob.ask<string>({
      kind: 'enrol',
      token: await network.token(),
      state: state('bob'),
      listen: true,
    });
    const run = async (directKem: boolean): Promise<PairwiseResult> => {
      const request = { kind: 'negotiate', peer, inFlight: IN_FLIGHT, directKem };
      await alice.ask({ ...request, keys: WARM_UP });
      const before = used(network, alice, bob);
      const latencies = await alice.ask<number[]>({ ...request, keys });
      const after = used(network, alice, bob);
      const perKey = (now: number, then: number): number => (now - then) / keys;
      const processes = after.processes.map((now, i) => perKey(now, before.processes[i] ?? now));
      const server = processes.reduce((sum, one) => sum + one, 0);
      const ordered = latencies.toSorted((a, b) => a - b);
      const at = (share: number): number => ordered[Math.floor(share * (ordered.length - 1))] ?? Number.NaN;
      return {
        keys,
        serverCpuMsPerKey: server,
        nodeCpuMsPerKey: processes.length > 1 ? processes : server / network.nodesPerProcess,
        deviceCpuMsPerKey: perKey(after.devices, before.devices),
        p50Ms: at(0.5),
        p99Ms: at(0.99),
        ...(processes.length > 1 && { worstNodeCpuMsPerKey: Math.max(...processes) }),
        ...(network.natsPid !== undefined && { natsCpuMsPerKey: perKey(after.nats, before.nats) }),
      };
    };
    await alice.ask({ kind: 'negotiate', peer, inFlight: IN_FLIGHT, directKem: false, keys: NODES_WARM_UP });
    const direct = await run(true);
    return { direct, symmetric: await run(false) };
  } finally {
    await Promise.all([alice.end(), bob.end()]);
    await network.end();
  }
}

/** CPU milliseconds that everybody has used so far. */
function used({ pids, natsPid }: Nodes, alice: Worker, bob: Worker) {
  return {
    processes: pids.map(cpuMs),
    devices: cpuMs(alice.pid) + cpuMs(bob.pid),
    nats: natsPid === undefined ? 0 : cpuMs(natsPid),
  };
}
