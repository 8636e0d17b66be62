import { decode, encode } from '@symmetra/rpc';
import type { BrokerRequest, DeliveryFields } from '@symmetra/protocol';

/** The sealed methods that carry shares, and their plaintexts. */
export const NEGOTIATE = '/symmetra.pairwise.v1.PairwiseService/Negotiate';
export const EVENT = '/symmetra.link.v1.LinkService/Event';

export function encodeRequest({ header, share, ephemeralKey }: BrokerRequest): Uint8Array {
  return encode('symmetra.pairwise.v1.NegotiateRequest', { header, share, ephemeralKey });
}

export function decodeRequest(plaintext: Uint8Array): BrokerRequest {
  const { header, share, ephemeralKey } = decode('symmetra.pairwise.v1.NegotiateRequest', plaintext);
  return { header, share, ephemeralKey };
}

export function encodeDelivery(number: number, delivery: DeliveryFields): Uint8Array {
  return encode('symmetra.link.v1.DeviceEvent', { number, delivery });
}

export function decodeDelivery(plaintext: Uint8Array): DeliveryFields | undefined {
  const { delivery } = decode('symmetra.link.v1.DeviceEvent', plaintext);
  if (!delivery) return undefined;
  const { header, share, ephemeralKey, granted } = delivery;
  return {
    header,
    share,
    ephemeralKey,
    granted: { lifetimeSeconds: granted?.lifetimeSeconds ?? 0, uses: granted?.uses ?? 0 },
  };
}
