import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { toBase32 } from '@symmetra/crypto';
import { createLogger, systemClock } from '@symmetra/runtime';
import { Cluster, TestDevice } from '@symmetra/testing';
import { openAdministrator } from '../../packages/cli/src/administrator/administrator.js';
import { Invocation } from '../../packages/cli/src/invocation.js';
import { Output } from '../../packages/cli/src/output.js';

const PROGRAM = fileURLToPath(new URL('../../packages/cli/bin/symmetra.mjs', import.meta.url));
const COUNT = 100;
const WARM_UP = 5;
/** How often the whole program is started. */
const PROGRAMS = 5;
const SINK = { write: () => undefined };

/** How long a revocation takes until the last of three nodes has returned its receipt. */
export interface RevocationResult {
  readonly count: number;
  /** What the command does once its program is loaded: it reads the keys, connects, asks for the head, signs, submits. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The same with the start of the program and its end, `symmetra admin device revoke`; the median. */
  readonly programP50Ms: number;
}

/** Revokes enrolled devices, each with a command of its own; one process for each node, over NATS. */
export async function benchRevocation(): Promise<{ revocation: RevocationResult }> {
  const cluster = await Cluster.start();
  try {
    const devices = await enrol(cluster, WARM_UP + COUNT + PROGRAMS);
    for (const device of devices.splice(0, WARM_UP)) await revoke(cluster, device);
    const times: number[] = [];
    for (const device of devices.splice(0, COUNT)) times.push(await timed(() => revoke(cluster, device)));
    const programs: number[] = [];
    for (const device of devices) programs.push(await timed(() => runProgram(cluster, device)));
    return {
      revocation: {
        count: COUNT,
        p50Ms: at(times, 0.5),
        p99Ms: at(times, 0.99),
        programP50Ms: at(programs, 0.5),
      },
    };
  } finally {
    await cluster.stop();
  }
}

async function enrol(cluster: Cluster, count: number): Promise<Uint8Array[]> {
  const token = await cluster.token(count);
  const devices: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const device = await TestDevice.enrol(token);
    devices.push(device.deviceId);
    device.close();
  }
  return devices;
}

/** One command, from its first line of its own to its last receipt. */
async function revoke(cluster: Cluster, deviceId: Uint8Array): Promise<void> {
  const logger = createLogger({ level: 'silent', clock: systemClock });
  const invocation = new Invocation(new Output(true, SINK, SINK), systemClock, logger);
  try {
    const { log } = await openAdministrator(invocation, cluster.adminDir);
    const { receipts } = await log.append({ kind: 'device-revoke', deviceId, reason: 'measured' });
    const missing = receipts.filter(({ applied }) => !applied);
    if (receipts.length !== cluster.nodeIds.length || missing.length > 0) {
      throw new Error(`no receipt of ${missing.map(({ node }) => node).join(', ')}`);
    }
  } finally {
    await invocation.end();
  }
}

async function runProgram(cluster: Cluster, deviceId: Uint8Array): Promise<void> {
  const args = ['admin', 'device', 'revoke', toBase32(deviceId), '--data', cluster.adminDir, '--json'];
  await promisify(execFile)(process.execPath, [PROGRAM, ...args]);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function at(times: readonly number[], share: number): number {
  const ordered = times.toSorted((a, b) => a - b);
  return ordered[Math.ceil(share * ordered.length) - 1] ?? Number.NaN;
}
