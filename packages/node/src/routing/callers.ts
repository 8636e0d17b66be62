import { SymmetraError, toBase32 } from '@symmetra/crypto';
import {
  deviceIdOf,
  inspectConfirmation,
  inspectOffer,
  inspectOpen,
  inspectProof,
  inspectR1,
  inspectR3,
} from '@symmetra/protocol';
import type { ProtocolContext } from '@symmetra/protocol';
import type { OpenCall, OpenRequest } from '@symmetra/rpc';
import type { AuditedCall } from '../audit/audit-log.js';

/** The open calls that are meant for one node, which their field `node` names. */
export type RoutedCall = Exclude<OpenCall, 'getDescriptor' | 'putDescriptor'>;

type CallerReaders = {
  readonly [Name in RoutedCall]: (context: ProtocolContext, request: OpenRequest<Name>) => Uint8Array;
};

const READERS: CallerReaders = {
  offer: (context, { offer }) => {
    const { tokenId, enrolmentNonce } = inspectOffer(context, offer);
    return deviceIdOf(tokenId, enrolmentNonce);
  },
  confirm: (_context, { confirmation }) => inspectConfirmation(confirmation).deviceId,
  step: (context, { r1 }) => inspectR1(context, r1).deviceId,
  commit: (context, { r3 }) => inspectR3(context, r3).deviceId,
  prove: (context, { proof }) => inspectProof(context, proof).deviceId,
  open: (context, { open }) => inspectOpen(context, open).deviceId,
};

/** The device that a call states, for the audit; whether it is the truth only the outcome says. */
export function callerOf<Name extends RoutedCall>(
  context: ProtocolContext,
  name: Name,
  request: OpenRequest<Name>,
): AuditedCall {
  try {
    return { device: toBase32(READERS[name](context, request)) };
  } catch (error) {
    if (error instanceof SymmetraError) return {};
    throw error;
  }
}
