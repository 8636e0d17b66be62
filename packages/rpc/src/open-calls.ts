import type { Message, MessageInput, MessageName } from './codec.js';
import type { METHODS } from './methods.js';

/** The unary methods that are neither sealed nor signed: short name, full name, types. */
export const OPEN_CALLS = {
  getDescriptor: {
    method: '/symmetra.network.v1.NetworkService/GetDescriptor',
    request: 'symmetra.network.v1.GetDescriptorRequest',
    reply: 'symmetra.network.v1.GetDescriptorResponse',
  },
  putDescriptor: {
    method: '/symmetra.network.v1.NetworkService/PutDescriptor',
    request: 'symmetra.network.v1.PutDescriptorRequest',
    reply: 'symmetra.network.v1.PutDescriptorResponse',
  },
  offer: {
    method: '/symmetra.enrolment.v1.EnrolmentService/Offer',
    request: 'symmetra.enrolment.v1.OfferRequest',
    reply: 'symmetra.enrolment.v1.OfferResponse',
  },
  confirm: {
    method: '/symmetra.enrolment.v1.EnrolmentService/Confirm',
    request: 'symmetra.enrolment.v1.ConfirmRequest',
    reply: 'symmetra.enrolment.v1.ConfirmResponse',
  },
  step: {
    method: '/symmetra.ratchet.v1.RatchetService/Step',
    request: 'symmetra.ratchet.v1.StepRequest',
    reply: 'symmetra.ratchet.v1.StepResponse',
  },
  commit: {
    method: '/symmetra.ratchet.v1.RatchetService/Commit',
    request: 'symmetra.ratchet.v1.CommitRequest',
    reply: 'symmetra.ratchet.v1.CommitResponse',
  },
  prove: {
    method: '/symmetra.ratchet.v1.RatchetService/Prove',
    request: 'symmetra.ratchet.v1.ProveRequest',
    reply: 'symmetra.ratchet.v1.ProveResponse',
  },
  open: {
    method: '/symmetra.session.v1.SessionService/Open',
    request: 'symmetra.session.v1.OpenRequest',
    reply: 'symmetra.session.v1.OpenResponse',
  },
} as const satisfies Readonly<
  Record<string, { method: keyof typeof METHODS; request: MessageName; reply: MessageName }>
>;

/** Short name of an open method. */
export type OpenCall = keyof typeof OPEN_CALLS;

/** What a caller gives to an open method. */
export type OpenRequestInput<Name extends OpenCall> = MessageInput<(typeof OPEN_CALLS)[Name]['request']>;

/** What the handler of an open method is given. */
export type OpenRequest<Name extends OpenCall> = Message<(typeof OPEN_CALLS)[Name]['request']>;

/** What the handler of an open method answers. */
export type OpenReplyInput<Name extends OpenCall> = MessageInput<(typeof OPEN_CALLS)[Name]['reply']>;

/** What a caller of an open method is given. */
export type OpenReply<Name extends OpenCall> = Message<(typeof OPEN_CALLS)[Name]['reply']>;
