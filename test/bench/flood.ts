import { performance } from 'node:perf_hooks';
import { encode } from '@symmetra/rpc';
import { TestDevice } from '@symmetra/testing';
import { FloodClient } from './flood-client.js';
import { BAD_OFFERS, OfferForge } from './flood-offers.js';
import type { FloodRequest } from './flood-worker.js';
import { Worker } from './worker.js';

const OFFER = '/symmetra.enrolment.v1.EnrolmentService/Offer';
const NODE = 'node-1';
const IN_FLIGHT = 64;
const WARM_UP = 3000;
/** A little less than one address may send at once. */
const ATTEMPTS_PER_ADDRESS = 900;
const BEYOND_RATE = 4000;

/** What bad enrolments cost a node, and what they do not cost. */
export interface FloodResult {
  /** Of each figure and kind of offer. */
  readonly attempts: number;
  /** CPU milliseconds from the bytes of a request to its refusal: the dearest kind of bad offer. */
  readonly cpuMsPerAttempt: number;
  readonly unknownTokenCpuMs: number;
  readonly wrongTagCpuMs: number;
  readonly garbageCpuMs: number;
  /** The same with gRPC, HTTP/2 and the system calls: the mean over the kinds, from as many addresses as it takes. */
  readonly grpcCpuMsPerAttempt: number;
  /** Over gRPC, for an attempt beyond the rate of its address. */
  readonly limitedCpuMsPerAttempt: number;
  /** Of so many attempts of one address at once, how many were stopped by its rate. */
  readonly limitedOf4000: number;
  /** How long a device took to enrol at the node while the flood went on, milliseconds. */
  readonly honestEnrolmentMs: number;
  /** Growth of the heap over all attempts, MiB. */
  readonly heapGrowthMib: number;
}

/** Measures a node, in a process of its own, that gets bad enrolment offers. */
export async function benchFlood(attempts: number): Promise<{ enrolmentFlood: FloodResult }> {
  const server = new Worker('./flood-worker.ts', ['--expose-gc']);
  const ask = <Answer>(request: FloodRequest): Promise<Answer> => server.ask<Answer>(request);
  try {
    const token = await ask<string>({ kind: 'start' });
    const device = await TestDevice.meet(token);
    const heapBefore = await ask<number>({ kind: 'heap' });
    const handler: number[] = [];
    for (const offer of BAD_OFFERS) {
      await ask({ kind: 'handler', offer, attempts: WARM_UP });
      handler.push(await ask<number>({ kind: 'handler', offer, attempts }));
    }
    const [unknownToken = Number.NaN, wrongTag = Number.NaN, garbage = Number.NaN] = handler;
    const flood = new Flood(device, token);
    await flood.run(2 * WARM_UP);
    await flood.runFromOne(BEYOND_RATE);
    const start = await ask<number>({ kind: 'cpu' });
    const [honestEnrolmentMs] = await Promise.all([enrolHonestly(device), flood.run(3 * attempts)]);
    const middle = await ask<number>({ kind: 'cpu' });
    const limited = await flood.runFromOne(BEYOND_RATE);
    const end = await ask<number>({ kind: 'cpu' });
    const heapAfter = await ask<number>({ kind: 'heap' });
    device.close();
    return {
      enrolmentFlood: {
        attempts,
        cpuMsPerAttempt: Math.max(...handler),
        unknownTokenCpuMs: unknownToken,
        wrongTagCpuMs: wrongTag,
        garbageCpuMs: garbage,
        grpcCpuMsPerAttempt: (middle - start) / (3 * attempts),
        limitedCpuMsPerAttempt: (end - middle) / BEYOND_RATE,
        limitedOf4000: limited,
        honestEnrolmentMs,
        heapGrowthMib: (heapAfter - heapBefore) / 2 ** 20,
      },
    };
  } finally {
    await server.end();
  }
}

async function enrolHonestly(device: TestDevice): Promise<number> {
  const begun = performance.now();
  await device.enrolAt(NODE);
  return performance.now() - begun;
}

/** Attackers at addresses that were not used before. */
class Flood {
  readonly #target: string;
  readonly #forge: OfferForge;
  #addresses = 0;

  constructor(device: TestDevice, token: string) {
    this.#target = device.client(NODE).address;
    this.#forge = new OfferForge(new TestDevice(device.descriptor, token), NODE);
  }

  /** Sends bad offers of all kinds, in turn. */
  async run(attempts: number): Promise<void> {
    for (let sent = 0; sent < attempts; sent += ATTEMPTS_PER_ADDRESS) {
      const codes = await this.#burst(Math.min(ATTEMPTS_PER_ADDRESS, attempts - sent));
      if (codes.has('RATE_LIMITED') || codes.has('OK')) throw new Error('the flood is not what it should be');
    }
  }

  /** Sends all from one address. @returns how many were stopped by its rate */
  async runFromOne(attempts: number): Promise<number> {
    return (await this.#burst(attempts)).get('RATE_LIMITED') ?? 0;
  }

  async #burst(attempts: number): Promise<ReadonlyMap<string, number>> {
    this.#addresses += 1;
    const client = new FloodClient(this.#target, `127.66.${this.#addresses >> 8}.${this.#addresses & 255}`);
    const codes = new Map<string, number>();
    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < attempts) {
        const offer = this.#forge.make(BAD_OFFERS[started % BAD_OFFERS.length] ?? 'garbage');
        started += 1;
        const request = encode('symmetra.enrolment.v1.OfferRequest', { node: '', offer });
        const code = await client.call(OFFER, request);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    client.close();
    return codes;
  }
}
