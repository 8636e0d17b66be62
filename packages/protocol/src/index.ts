export * from './context.js';
export * from './state-codec.js';
export * from './enrolment/token.js';
export * from './enrolment/initiator.js';
export * from './enrolment/responder.js';
export {
  checkIntroductionReceipt,
  introductionRequests,
  introductionSecrets,
  startIntroduction,
} from './introduction/device.js';
export type { Introducing, IntroductionStart } from './introduction/device.js';
export { decodeIntroductionHeader } from './introduction/header.js';
export {
  decodeDeviceFacts,
  decodeIntroductionPart,
  encodeDeviceFacts,
  encodeIntroductionPart,
} from './introduction/part.js';
export type { DeviceFacts, IntroductionPart } from './introduction/part.js';
export {
  checkIntroduction,
  checkIntroductionPart,
  completeIntroduction,
  isSameIntroduction,
} from './introduction/nodes.js';
export type { IntroducedDevice, ReadIntroduction } from './introduction/nodes.js';
export * from './ratchet/epoch.js';
export * from './ratchet/code.js';
export * from './ratchet/initiator.js';
export * from './ratchet/responder.js';
export * from './ratchet/challenge.js';
export { openSession, receiveSessionAnswer } from './session/initiator.js';
export type { SessionOpening } from './session/initiator.js';
export { MAX_CHAIN_SKIP, inspectOpen, receiveOpen } from './session/responder.js';
export type { OpenOutcome, SessionRandom } from './session/responder.js';
export type { OpenBody, SessionGrant } from './session/messages.js';
export { SessionEnd } from './session/cipher.js';
export type { SealedMessage } from './session/cipher.js';
export { REPLAY_WINDOW } from './session/window.js';
export * from './pairwise/header.js';
export * from './pairwise/messages.js';
export * from './pairwise/continuity.js';
export * from './pairwise/initiator.js';
export * from './pairwise/broker.js';
export * from './pairwise/key.js';
export * from './pairwise/responder.js';
export type { ApplicationKey, ContinuitySecret, Share, SplitSecret, TlsKey } from './pairwise/transcript.js';
export * from './channel/psk.js';
export * from './control/descriptor.js';
export * from './control/event.js';
export * from './control/log.js';
export * from './control/request.js';
export * from './control/snapshot.js';
export * from './group/header.js';
export * from './group/secrets.js';
export * from './group/dealer.js';
export { MAX_HEIGHT, MAX_MEMBERS } from './tree/shape.js';
export { Roster } from './tree/roster.js';
export type { Placed, RosterChanges, RosterOutcome } from './tree/roster.js';
export { TREE_KEY_LENGTH, TREE_SEAL_LENGTH } from './tree/key.js';
export type { SealScope, TreeScope, TreeSeal } from './tree/key.js';
export { pagesOf } from './tree/replacement.js';
export type { TreeChange } from './tree/replacement.js';
export { MAX_SEALS, plantTree, rekey } from './tree/rekey.js';
export type { Planting, Rekeyed, Rekeying, TreeUpdate } from './tree/rekey.js';
export { advancePage, pagesOfPath, pathKeysOf } from './tree/stored-tree.js';
export type { ReadPage } from './tree/stored-tree.js';
export { advancePath } from './tree/path.js';
export type { PathUpdate, TreePath } from './tree/path.js';
export { MAX_REMOVED } from './group/approval.js';
export type { GroupDeal, GroupRules } from './group/approval.js';
export * from './group/echo.js';
export * from './group/order.js';
export * from './group/node-group.js';
export * from './group/suspension.js';
export {
  MAX_BROADCAST,
  decodeBroadcast,
  encodeEpochBroadcast,
  rangesOf,
  readBroadcast,
  signBroadcast,
} from './group/broadcast.js';
export type { EpochBroadcast, PlaceRange } from './group/broadcast.js';
export { MAX_ORDER, MAX_OUT, encodeGroupDue } from './group/due.js';
export type { DueReason, GroupDue } from './group/due.js';
export { readWelcome } from './group/welcome.js';
export type { DealtHeader, NodePath, ReadWelcome, WelcomeFields } from './group/welcome.js';
export { dealDelayMs } from './group/notices.js';
export type { BelievedDue } from './group/notices.js';
export { acceptedEpochs } from './group/epochs.js';
export type { HeldEpoch } from './group/epochs.js';
export {
  believedDue,
  endEpochs,
  memberSecrets,
  newMember,
  receiveDue,
  sendingEpoch,
} from './group/member.js';
export type { MemberGroup, MemberOutput, MemberStep } from './group/member.js';
export { receiveEpochBroadcast, receiveWelcome } from './group/delivery.js';
export * from './group/message.js';
export * from './group/message-window.js';
export { sameEnd, writeEnd } from './link/end.js';
export type { LinkEnd, LinkPeer, LinkPsk, LinkSelf } from './link/end.js';
export * from './link/initiator.js';
export * from './link/responder.js';
export * from './link/cipher.js';
export {
  LINK_ANSWER,
  LINK_CONFIRM,
  LINK_DONE,
  LINK_ID_LENGTH,
  LINK_OPEN,
  LINK_SEALED,
} from './link/messages.js';
export type { FormerKey, FormerLink, LinkKeys } from './link/transcript.js';
