import { Secret, extractExpand, suites, utf8 } from '@symmetra/crypto';
import { u64 } from '../context.js';
import type { ProtocolContext } from '../context.js';
import type { NodeTokenSecret } from '../enrolment/token.js';
import type { IntroductionHeader } from './header.js';

/** t_new = Derive([S], label, device, new node, H(header)), 32 bytes, under suite 1 as every token (ENR-1). */
export function introducedToken(
  context: ProtocolContext,
  { deviceId, nodeId }: IntroductionHeader,
  headerHash: Uint8Array,
  secret: Uint8Array,
): NodeTokenSecret {
  const kdf = {
    networkId: context.networkId,
    initiator: deviceId,
    responder: utf8(nodeId),
    epoch: u64(0),
    transcriptHash: headerHash,
  };
  return Secret.of('NodeTokenSecret', extractExpand(suites.get(1), [secret], 'introToken', kdf));
}
