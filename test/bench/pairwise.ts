import { join } from 'node:path';
import { cpuMs } from './cpu.js';
import { BenchNetwork } from './network.js';
import { Worker } from './worker.js';

const NODES = 3;
const IN_FLIGHT = 64;
const WARM_UP = 600;

/** What one run of the main job costs. */
export interface PairwiseResult {
  readonly keys: number;
  /** CPU milliseconds per completed key, summed over the nodes. */
  readonly serverCpuMsPerKey: number;
  /** The sum divided by the number of nodes, which share a process here. */
  readonly nodeCpuMsPerKey: number;
  /** CPU milliseconds per completed key, summed over the two devices. */
  readonly deviceCpuMsPerKey: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Measures completed pairwise keys, with and without the direct KEM, one network and two devices for both. */
export async function benchPairwise(
  keys: number,
): Promise<{ pairwise: PairwiseResult; pairwiseSymmetric: PairwiseResult }> {
  const network = await BenchNetwork.start();
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
    const measure = async (directKem: boolean): Promise<PairwiseResult> => {
      const request = { kind: 'negotiate', peer, inFlight: IN_FLIGHT, directKem };
      await alice.ask({ ...request, keys: WARM_UP });
      const before = { server: cpuMs(network.pid), devices: cpuMs(alice.pid) + cpuMs(bob.pid) };
      const latencies = await alice.ask<number[]>({ ...request, keys });
      const server = (cpuMs(network.pid) - before.server) / keys;
      const devices = (cpuMs(alice.pid) + cpuMs(bob.pid) - before.devices) / keys;
      const ordered = latencies.toSorted((a, b) => a - b);
      const at = (share: number): number => ordered[Math.floor(share * (ordered.length - 1))] ?? Number.NaN;
      return {
        keys,
        serverCpuMsPerKey: server,
        nodeCpuMsPerKey: server / NODES,
        deviceCpuMsPerKey: devices,
        p50Ms: at(0.5),
        p99Ms: at(0.99),
      };
    };
    const pairwise = await measure(true);
    return { pairwise, pairwiseSymmetric: await measure(false) };
  } finally {
    await Promise.all([alice.end(), bob.end()]);
    await network.end();
  }
}
