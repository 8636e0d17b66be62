import { Secret, Writer, expand, extractExpand } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';
import { deviceNodeContext, u64 } from '../context.js';
import type { ProtocolContext } from '../context.js';
import type { Answer } from './messages.js';
import type { NodeTokenSecret } from './token.js';

/** BK_i, the bootstrap key, `hashLength` bytes: K[0] of the ATK chain. */
export type BootstrapKey = Secret<'BootstrapKey'>;

/** Who takes part in an enrolment at one node, and the public key that the device trusts. */
export interface EnrolmentParties {
  readonly deviceId: Uint8Array;
  readonly nodeId: string;
  /** SHA-256 over all static KEM keys of the node (CTL-1). */
  readonly nodeKeyHash: Uint8Array;
}

function contextOf(context: ProtocolContext, parties: EnrolmentParties, hash: Uint8Array): KdfContext {
  return deviceNodeContext(context, parties.deviceId, parties.nodeId, u64(0), hash);
}

/** tag0 = MAC(sub(t_i, "filter"), m1): cheap, checked before any KEM work. */
export function filterTag(
  context: ProtocolContext,
  suite: Suite,
  parties: EnrolmentParties,
  token: NodeTokenSecret,
  body: Uint8Array,
): Uint8Array {
  const key = extractExpand(
    suite,
    [token.bytes],
    'enrolFilter',
    contextOf(context, parties, parties.nodeKeyHash),
  );
  const tag = suite.mac(key, body);
  key.fill(0);
  return tag;
}

/** tag1 = MAC(KDF(t_i, ss1, H(m1)), m1). */
export function offerTag(
  context: ProtocolContext,
  suite: Suite,
  parties: EnrolmentParties,
  token: NodeTokenSecret,
  staticSecret: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  const kdf = contextOf(context, parties, suite.hash(body));
  const key = extractExpand(suite, [token.bytes, staticSecret], 'enrolRequest', kdf);
  const tag = suite.mac(key, body);
  key.fill(0);
  return tag;
}

/** The bootstrap key with the three confirmation tags over the transcript. */
export interface EnrolmentKeys {
  readonly bootstrapKey: BootstrapKey;
  /** H(m1, n_N, ct2, account, node key hash). */
  readonly transcriptHash: Uint8Array;
  readonly nodeTag: Uint8Array;
  readonly deviceTag: Uint8Array;
  readonly ackTag: Uint8Array;
}

/** BK_i = KDF(t_i, ss1, ss2, ids, account, H(pk_Ni), descriptor version, H(m1, n_N, ct2)). */
export function enrolmentKeys(
  context: ProtocolContext,
  suite: Suite,
  parties: EnrolmentParties,
  secrets: { token: NodeTokenSecret; staticSecret: Uint8Array; ephemeralSecret: Uint8Array },
  body: Uint8Array,
  answer: Omit<Answer, 'tag'>,
): EnrolmentKeys {
  const transcriptHash = suite.hash(
    new Writer()
      .bytes(body)
      .raw(answer.nonce)
      .bytes(answer.ciphertext)
      .text(answer.account)
      .raw(parties.nodeKeyHash)
      .finish(),
  );
  const kdf = contextOf(context, parties, transcriptHash);
  const ikms = [secrets.token.bytes, secrets.staticSecret, secrets.ephemeralSecret];
  const bootstrapKey = Secret.of('BootstrapKey', extractExpand(suite, ikms, 'enrolBootstrap', kdf));
  const tag = (label: 'enrolNode' | 'enrolDevice' | 'enrolAck'): Uint8Array => {
    const key = expand(suite, bootstrapKey.bytes, label, kdf);
    const result = suite.mac(key, transcriptHash);
    key.fill(0);
    return result;
  };
  return {
    bootstrapKey,
    transcriptHash,
    nodeTag: tag('enrolNode'),
    deviceTag: tag('enrolDevice'),
    ackTag: tag('enrolAck'),
  };
}
