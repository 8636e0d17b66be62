import { utf8 } from './bytes.js';

/**
 * Every domain-separation label of the protocol, `symmetra/1 <flow> <name>`. A label names one
 * purpose: it goes into a KDF, a hash that needs a domain, or the context of a signature. Values
 * are part of the wire protocol and never change; a new purpose gets a new label.
 */
export const LABELS = {
  // Enrolment (protocol section 3)
  enrolToken: 'symmetra/1 enrol token',
  enrolTokenId: 'symmetra/1 enrol token-id',
  enrolTokenSeal: 'symmetra/1 enrol token-seal',
  enrolDeviceId: 'symmetra/1 enrol device-id',
  enrolFilter: 'symmetra/1 enrol filter',
  enrolRequest: 'symmetra/1 enrol request',
  enrolBootstrap: 'symmetra/1 enrol bootstrap',
  enrolNode: 'symmetra/1 enrol node',
  enrolDevice: 'symmetra/1 enrol device',
  enrolAck: 'symmetra/1 enrol ack',
  introShare: 'symmetra/1 intro share',
  introToken: 'symmetra/1 intro token',

  // Ratchet (section 4)
  ratchetKey: 'symmetra/1 ratchet key',
  ratchetChain: 'symmetra/1 ratchet chain',
  ratchetEvidence: 'symmetra/1 ratchet evidence',
  ratchetR1Seal: 'symmetra/1 ratchet r1-seal',
  ratchetR1Mac: 'symmetra/1 ratchet r1-mac',
  ratchetR2Seal: 'symmetra/1 ratchet r2-seal',
  ratchetEpoch: 'symmetra/1 ratchet epoch',
  ratchetNode: 'symmetra/1 ratchet node',
  ratchetDevice: 'symmetra/1 ratchet device',
  ratchetAck: 'symmetra/1 ratchet ack',
  ratchetCodeCommit: 'symmetra/1 ratchet code-commit',
  ratchetCode: 'symmetra/1 ratchet code',
  ratchetChallenge: 'symmetra/1 ratchet challenge',

  // Sessions (section 5)
  sessionKey: 'symmetra/1 session key',
  sessionNext: 'symmetra/1 session next',
  sessionEvidence: 'symmetra/1 session evidence',
  sessionOpen: 'symmetra/1 session open',
  sessionAnswer: 'symmetra/1 session answer',
  sessionAnswerSeal: 'symmetra/1 session answer-seal',
  sessionDeviceToNode: 'symmetra/1 session device-to-node',
  sessionNodeToDevice: 'symmetra/1 session node-to-device',

  // Pairwise keys (section 6)
  pairShare: 'symmetra/1 pair share',
  pairPrk: 'symmetra/1 pair prk',
  pairConfirmInitiator: 'symmetra/1 pair confirm-initiator',
  pairConfirmResponder: 'symmetra/1 pair confirm-responder',
  pairAcknowledge: 'symmetra/1 pair acknowledge',
  pairRefusal: 'symmetra/1 pair refusal',
  pairContinuity: 'symmetra/1 pair continuity',
  pairContinuityId: 'symmetra/1 pair continuity-id',
  pairContinuityOffer: 'symmetra/1 pair continuity-offer',
  pairApplication: 'symmetra/1 pair application',
  pairTls: 'symmetra/1 pair tls',
  pairTlsPsk: 'symmetra/1 pair tls-psk',
  pairTlsIdentity: 'symmetra/1 pair tls-identity',
  pairFingerprint: 'symmetra/1 pair fingerprint',

  // Group keys (section 7)
  groupShare: 'symmetra/1 group share',
  groupRoster: 'symmetra/1 group roster',
  groupKey: 'symmetra/1 group key',
  groupCheck: 'symmetra/1 group check',
  groupApplication: 'symmetra/1 group application',
  groupMessage: 'symmetra/1 group message',
  groupSender: 'symmetra/1 group sender',
  groupFingerprint: 'symmetra/1 group fingerprint',
  groupTreeNext: 'symmetra/1 group tree-next',
  groupTreeKey: 'symmetra/1 group tree-key',
  groupTreeSeal: 'symmetra/1 group tree-seal',
  groupShareSeal: 'symmetra/1 group share-seal',
  groupBroadcastSign: 'symmetra/1 group broadcast-sign',

  // Descriptor, control log, administration (sections 1 and 8)
  descriptorSign: 'symmetra/1 descriptor sign',
  controlEventSign: 'symmetra/1 control event-sign',
  controlEventHash: 'symmetra/1 control event-hash',
  controlSnapshotHash: 'symmetra/1 control snapshot-hash',
  adminRequestSign: 'symmetra/1 admin request-sign',
  adminResponseSign: 'symmetra/1 admin response-sign',

  // Links between nodes (section 9)
  linkFilter: 'symmetra/1 link filter',
  linkFirst: 'symmetra/1 link first',
  linkAnswer: 'symmetra/1 link answer',
  linkConfirm: 'symmetra/1 link confirm',
  linkKey: 'symmetra/1 link key',
  linkInitiator: 'symmetra/1 link initiator',
  linkResponder: 'symmetra/1 link responder',
  linkId: 'symmetra/1 link id',
  linkInitiatorToResponder: 'symmetra/1 link initiator-to-responder',
  linkResponderToInitiator: 'symmetra/1 link responder-to-initiator',
  linkFormer: 'symmetra/1 link former',

  // Entropy reports (docs/entropy/reports.md)
  entropyReportSign: 'symmetra/1 entropy report-sign',
  entropyReportHash: 'symmetra/1 entropy report-hash',

  // State at rest
  storeValue: 'symmetra/1 store value',
  storeName: 'symmetra/1 store name',
  statePassphrase: 'symmetra/1 state passphrase',
  statePassphraseCheck: 'symmetra/1 state passphrase-check',
} as const;

/** A label by its key in {@link LABELS}. */
export type Label = keyof typeof LABELS;

const encoded = new Map<string, Uint8Array>(
  Object.entries(LABELS).map(([label, text]) => [label, utf8(text)]),
);

/** The label's UTF-8 bytes, shared: not to be changed. */
export function labelBytes(label: Label): Uint8Array {
  return encoded.get(label) as Uint8Array;
}
