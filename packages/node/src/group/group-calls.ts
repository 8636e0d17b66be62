import { Reader, SymmetraError, Writer } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH } from '@symmetra/protocol';
import type { SealedMethod } from '@symmetra/rpc';
import { hexOf } from '../rows/row-keys.js';
import type { Caller, SealedHandler, SealedOutcome } from '../session/sealed-handler.js';
import type { GroupSeat } from './group-seat.js';

const MAX_METHOD_BYTES = 128;

/** A method of the group service. */
export type GroupMethod = Extract<SealedMethod, `/symmetra.group.v1.GroupService/${string}`>;

/** Answers a method of the group service, at the process that works on groups. */
export type GroupHandler = (caller: Caller, request: Uint8Array) => SealedOutcome | Promise<SealedOutcome>;

/** What members ask, brought to the process of this node that works on groups. */
export function groupCalls(
  seat: GroupSeat,
  handlers: Readonly<Record<GroupMethod, GroupHandler>>,
): Readonly<Record<GroupMethod, SealedHandler>> {
  seat.offer('call', async (request) => {
    const reader = new Reader(request, 'call of a member');
    const method = reader.text(MAX_METHOD_BYTES);
    const deviceId = reader.raw(DEVICE_ID_LENGTH);
    const plaintext = reader.bytes();
    reader.end();
    if (!isOneOf(handlers, method)) throw new SymmetraError('METHOD_NOT_ALLOWED', 'there is no such method');
    try {
      return (await handlers[method]({ deviceId, deviceHex: hexOf(deviceId) }, plaintext)).reply;
    } finally {
      plaintext.fill(0);
    }
  });

  const callOf = (method: GroupMethod): SealedHandler => {
    return async ({ deviceId, deviceHex }, plaintext) => {
      if (seat.isHere) return handlers[method]({ deviceId, deviceHex }, plaintext);
      const request = new Writer().text(method).raw(deviceId).bytes(plaintext).finish();
      try {
        return { reply: await seat.have('call', request) };
      } finally {
        request.fill(0);
      }
    };
  };
  const methods = Object.keys(handlers) as GroupMethod[];
  return Object.fromEntries(methods.map((method) => [method, callOf(method)])) as Record<
    GroupMethod,
    SealedHandler
  >;
}

function isOneOf(
  handlers: Readonly<Record<GroupMethod, GroupHandler>>,
  method: string,
): method is GroupMethod {
  return Object.hasOwn(handlers, method);
}
