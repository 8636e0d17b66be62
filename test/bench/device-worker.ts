import { performance } from 'node:perf_hooks';
import { enrol } from '@symmetra/sdk';
import type { Device } from '@symmetra/sdk';
import { serve } from './worker.js';

/** Asks of one device process. */
export type DeviceRequest =
  | { readonly kind: 'enrol'; readonly token: string; readonly state: string; readonly listen: boolean }
  | {
      readonly kind: 'negotiate';
      readonly peer: string;
      readonly keys: number;
      readonly inFlight: number;
      readonly directKem: boolean;
    };

let device: Device | undefined;

serve<DeviceRequest>(async (request) => {
  if (request.kind === 'enrol') {
    device = await enrol({ token: request.token, state: request.state });
    await device.connect();
    if (request.listen) await device.listen({ host: '127.0.0.1', port: 0 });
    return device.id;
  }
  if (device === undefined) throw new Error('enrol first');
  return negotiateMany(device, request);
});

/** Latency of each key, milliseconds. */
async function negotiateMany(
  owner: Device,
  request: Extract<DeviceRequest, { kind: 'negotiate' }>,
): Promise<readonly number[]> {
  const latencies: number[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < request.keys) {
      started += 1;
      const begun = performance.now();
      // Each lane runs one key after another; the lanes run side by side.
      await owner.negotiate(request.peer, { purpose: 'bench', directKem: request.directKem });
      latencies.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: request.inFlight }, lane));
  return latencies;
}
