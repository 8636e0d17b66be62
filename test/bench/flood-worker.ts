import { encode } from '@symmetra/rpc';
import { NodeNetwork, TestDevice } from '@symmetra/testing';
import { OfferForge } from './flood-offers.js';
import type { BadOffer } from './flood-offers.js';
import { serve } from './worker.js';

/** Asks of the process that holds the nodes. */
export type FloodRequest =
  | { readonly kind: 'start' }
  | { readonly kind: 'cpu' }
  | { readonly kind: 'heap' }
  | { readonly kind: 'handler'; readonly offer: BadOffer; readonly attempts: number };

const OFFER = '/symmetra.enrolment.v1.EnrolmentService/Offer';
const NODE = 'node-1';
const TIMEOUT_MS = 10_000;

let network: NodeNetwork | undefined;

serve<FloodRequest>(async (request) => {
  if (request.kind === 'start') {
    network = await NodeNetwork.start();
    return network.administrator.createToken();
  }
  if (network === undefined) throw new Error('start first');
  // The test network keeps its log lines; they are no part of a node.
  network.log.length = 0;
  if (request.kind === 'cpu') return cpuMs();
  if (request.kind === 'heap') return heapBytes();
  return measureHandler(network, request.offer, request.attempts);
});

/** What the process has used so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** CPU milliseconds of one attempt, from the bytes of the request to the refusal, without a connection. */
async function measureHandler(nodes: NodeNetwork, offer: BadOffer, attempts: number): Promise<number> {
  const device = new TestDevice(nodes.descriptor, await nodes.administrator.createToken());
  const forge = new OfferForge(device, NODE);
  const requests = Array.from({ length: attempts }, () =>
    encode('symmetra.enrolment.v1.OfferRequest', { node: NODE, offer: forge.make(offer) }),
  );
  const bus = nodes.wire.join(`flood-${offer}-${attempts}`);
  const before = cpuMs();
  for (const request of requests) {
    await bus.request(NODE, `rpc${OFFER}`, request, { timeoutMs: TIMEOUT_MS }).catch(() => undefined);
  }
  const used = cpuMs() - before;
  await bus.close();
  return used / attempts;
}
