import { AuthenticationError, Reader, Writer, equalConstantTime, sha256, utf8 } from '@symmetra/crypto';
import type { BrokerRequest, DeliveryFields } from '@symmetra/protocol';

/*
 * Stands for the session between a device and a node, which has simulations of its own: what was changed on its way is
 * refused, what is repeated or late is not.
 */
const SESSION_KEY = utf8('every simulated session has this key');

/** Protects a message between a device and a node. */
export function protect(body: Uint8Array): Uint8Array {
  return new Writer(body.length + 36).bytes(body).bytes(sha256(SESSION_KEY, body)).finish();
}

/** @throws BAD_ENCODING, AUTHENTICATION_FAILED */
export function unprotect(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes, 'protected message');
  const body = reader.bytes();
  const tag = reader.bytes();
  reader.end();
  if (!equalConstantTime(tag, sha256(SESSION_KEY, body))) throw new AuthenticationError();
  return body;
}

export function encodeRequest({ header, share, ephemeralKey }: BrokerRequest): Uint8Array {
  return new Writer().bytes(header).bytes(share).bytes(ephemeralKey).finish();
}

export function decodeRequest(bytes: Uint8Array): BrokerRequest {
  const reader = new Reader(bytes, 'request');
  const request = { header: reader.bytes(), share: reader.bytes(), ephemeralKey: reader.bytes() };
  reader.end();
  return request;
}

export function encodeDelivery({ header, share, ephemeralKey, granted }: DeliveryFields): Uint8Array {
  return new Writer()
    .bytes(header)
    .bytes(share)
    .bytes(ephemeralKey)
    .u32(granted.lifetimeSeconds)
    .u32(granted.uses)
    .finish();
}

export function decodeDelivery(bytes: Uint8Array): DeliveryFields {
  const reader = new Reader(bytes, 'delivery');
  const delivery = {
    header: reader.bytes(),
    share: reader.bytes(),
    ephemeralKey: reader.bytes(),
    granted: { lifetimeSeconds: reader.u32(), uses: reader.u32() },
  };
  reader.end();
  return delivery;
}

const deviceIds = new Map<string, Uint8Array>();

/** The id of a simulated device. */
export function deviceIdOfName(name: string): Uint8Array {
  const id = deviceIds.get(name) ?? sha256(utf8(`device ${name}`));
  deviceIds.set(name, id);
  return id.slice();
}
