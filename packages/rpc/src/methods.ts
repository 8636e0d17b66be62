import { SymmetraError } from '@symmetra/crypto';
import type { MethodKind, MethodPolicy } from './method-policy.js';
import { perAddress, perAdministrator, perSession } from './method-rates.js';

const KIB = 1024;

/** Longest frame of a link, in bytes, in both directions. */
export const MAX_FRAME_BYTES = 64 * KIB;

/** Longest request, in bytes: a descriptor of 16 nodes and 64 administrators, with everything that it may say of them. */
export const MAX_REQUEST_BYTES = 320 * KIB;

/** Every method there is. One that does not stand here is refused, and a node refuses those of its upstream servers. */
export const METHODS = {
  '/symmetra.network.v1.NetworkService/GetDescriptor': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(200, 1000),
    audited: false,
    maxBytes: KIB,
  },
  '/symmetra.network.v1.NetworkService/PutDescriptor': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(2, 10),
    audited: true,
    maxBytes: MAX_REQUEST_BYTES,
  },
  '/symmetra.enrolment.v1.EnrolmentService/Offer': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(200, 1000),
    audited: true,
    maxBytes: 8 * KIB,
  },
  '/symmetra.enrolment.v1.EnrolmentService/Confirm': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(200, 1000),
    audited: true,
    maxBytes: 2 * KIB,
  },
  '/symmetra.enrolment.v1.EnrolmentService/Introduce': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(5, 20),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.enrolment.v1.IntroduceRequest',
      reply: 'symmetra.enrolment.v1.IntroduceResponse',
    },
  },
  '/symmetra.ratchet.v1.RatchetService/Step': {
    who: 'device',
    kind: 'open',
    rate: perAddress(200, 1000),
    audited: true,
    maxBytes: 8 * KIB,
  },
  '/symmetra.ratchet.v1.RatchetService/Commit': {
    who: 'device',
    kind: 'open',
    rate: perAddress(200, 1000),
    audited: true,
    maxBytes: 2 * KIB,
  },
  '/symmetra.ratchet.v1.RatchetService/Prove': {
    who: 'device',
    kind: 'open',
    rate: perAddress(200, 1000),
    audited: true,
    maxBytes: 4 * KIB,
  },
  '/symmetra.session.v1.SessionService/Open': {
    who: 'device',
    kind: 'open',
    rate: perAddress(1000, 4000),
    audited: true,
    maxBytes: 2 * KIB,
  },
  '/symmetra.session.v1.SessionService/Attach': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(5, 20),
    audited: true,
    maxBytes: 4 * KIB,
    plaintext: {
      request: 'symmetra.session.v1.AttachRequest',
      reply: 'symmetra.session.v1.AttachResponse',
    },
  },
  '/symmetra.session.v1.SessionService/Close': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(5, 20),
    audited: true,
    maxBytes: KIB,
    plaintext: {
      request: 'symmetra.session.v1.CloseRequest',
      reply: 'symmetra.session.v1.CloseResponse',
    },
  },
  '/symmetra.pairwise.v1.PairwiseService/Negotiate': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(2000, 4000),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.pairwise.v1.NegotiateRequest',
      reply: 'symmetra.pairwise.v1.NegotiateResponse',
    },
  },
  '/symmetra.pairwise.v1.PairwiseService/Acknowledge': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(2000, 4000),
    audited: false,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.pairwise.v1.AcknowledgeRequest',
      reply: 'symmetra.pairwise.v1.AcknowledgeResponse',
    },
  },
  '/symmetra.pairwise.v1.PairwiseService/Relay': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(4000, 8000),
    audited: false,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.pairwise.v1.RelayRequest',
      reply: 'symmetra.pairwise.v1.RelayResponse',
    },
  },
  '/symmetra.pairwise.v1.PairwiseService/Report': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(10, 100),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.pairwise.v1.ReportRequest',
      reply: 'symmetra.pairwise.v1.ReportResponse',
    },
  },
  '/symmetra.group.v1.GroupService/Stage': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(100, 200),
    audited: false,
    maxBytes: 40 * KIB,
    plaintext: { request: 'symmetra.group.v1.StageRequest', reply: 'symmetra.group.v1.StageResponse' },
  },
  '/symmetra.group.v1.GroupService/Deal': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(20, 100),
    audited: true,
    maxBytes: 40 * KIB,
    plaintext: { request: 'symmetra.group.v1.DealRequest', reply: 'symmetra.group.v1.DealResponse' },
  },
  '/symmetra.group.v1.GroupService/Confirm': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(100, 1000),
    audited: false,
    maxBytes: 2 * KIB,
    plaintext: { request: 'symmetra.group.v1.ConfirmRequest', reply: 'symmetra.group.v1.ConfirmResponse' },
  },
  '/symmetra.group.v1.GroupService/Leave': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(10, 100),
    audited: true,
    maxBytes: KIB,
    plaintext: { request: 'symmetra.group.v1.LeaveRequest', reply: 'symmetra.group.v1.LeaveResponse' },
  },
  '/symmetra.group.v1.GroupService/Renew': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(1, 20),
    audited: true,
    maxBytes: 2 * KIB,
    plaintext: { request: 'symmetra.group.v1.RenewRequest', reply: 'symmetra.group.v1.RenewResponse' },
  },
  '/symmetra.group.v1.GroupService/GetRoster': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(50, 200),
    audited: false,
    maxBytes: KIB,
    plaintext: {
      request: 'symmetra.group.v1.GetRosterRequest',
      reply: 'symmetra.group.v1.GetRosterResponse',
    },
  },
  '/symmetra.group.v1.GroupService/Send': {
    who: 'device',
    kind: 'sealed',
    rate: perSession(500, 1000),
    audited: false,
    maxBytes: 8 * KIB,
    plaintext: { request: 'symmetra.group.v1.SendRequest', reply: 'symmetra.group.v1.SendResponse' },
  },
  '/symmetra.link.v1.LinkService/Connect': {
    who: 'device',
    kind: 'link',
    rate: perAddress(100, 1000),
    audited: false,
    maxBytes: MAX_FRAME_BYTES,
  },
  '/symmetra.admin.v1.AdminService/GetHead': {
    who: 'administrator',
    kind: 'signed',
    rate: perAdministrator(20, 100),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.admin.v1.GetHeadRequest',
      reply: 'symmetra.admin.v1.GetHeadResponse',
    },
  },
  '/symmetra.admin.v1.AdminService/Submit': {
    who: 'administrator',
    kind: 'signed',
    rate: perAdministrator(20, 100),
    audited: true,
    maxBytes: 64 * KIB,
    plaintext: {
      request: 'symmetra.admin.v1.SubmitRequest',
      reply: 'symmetra.admin.v1.SubmitResponse',
    },
  },
  '/symmetra.admin.v1.AdminService/ListEvents': {
    who: 'administrator',
    kind: 'signed',
    rate: perAdministrator(20, 100),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.admin.v1.ListEventsRequest',
      reply: 'symmetra.admin.v1.ListEventsResponse',
    },
  },
  '/symmetra.admin.v1.AdminService/ListDevices': {
    who: 'administrator',
    kind: 'signed',
    rate: perAdministrator(20, 100),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.admin.v1.ListDevicesRequest',
      reply: 'symmetra.admin.v1.ListDevicesResponse',
    },
  },
  '/symmetra.admin.v1.AdminService/GetDevice': {
    who: 'administrator',
    kind: 'signed',
    rate: perAdministrator(20, 100),
    audited: true,
    maxBytes: 8 * KIB,
    plaintext: {
      request: 'symmetra.admin.v1.GetDeviceRequest',
      reply: 'symmetra.admin.v1.GetDeviceResponse',
    },
  },
  '/symmetra.entropy.v1.EntropyService/StreamNoise': {
    who: 'node',
    kind: 'upstream',
    rate: perAddress(5, 20),
    audited: true,
    maxBytes: KIB,
  },
  '/grpc.health.v1.Health/Check': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(20, 100),
    audited: false,
    maxBytes: KIB,
  },
  '/grpc.health.v1.Health/Watch': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(5, 20),
    audited: false,
    maxBytes: KIB,
  },
} as const satisfies Readonly<Record<string, MethodPolicy>>;

/** Answered only by a server that was started with `reflection`. */
export const REFLECTION_METHODS = {
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(5, 20),
    audited: false,
    maxBytes: 4 * KIB,
  },
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': {
    who: 'anyone',
    kind: 'open',
    rate: perAddress(5, 20),
    audited: false,
    maxBytes: 4 * KIB,
  },
} as const satisfies Readonly<Record<string, MethodPolicy>>;

type MethodsOfKind<Kind extends MethodKind> = {
  [Name in keyof typeof METHODS]: (typeof METHODS)[Name]['kind'] extends Kind ? Name : never;
}[keyof typeof METHODS];

/** Full names of the methods that take and return Sealed. */
export type SealedMethod = MethodsOfKind<'sealed'>;

/** Full names of the methods that take SignedRequest. */
export type SignedMethod = MethodsOfKind<'signed'>;

/** Name of the request's type inside a sealed or signed method. */
export type PlaintextRequest<Method extends SealedMethod | SignedMethod> =
  (typeof METHODS)[Method]['plaintext']['request'];

/** Name of the reply's type inside a sealed or signed method. */
export type PlaintextReply<Method extends SealedMethod | SignedMethod> =
  (typeof METHODS)[Method]['plaintext']['reply'];

/**
 * The row of a method.
 * @param fullName for example /symmetra.session.v1.SessionService/Open
 * @throws SymmetraError METHOD_NOT_ALLOWED when the table lacks it.
 */
export function methodPolicy(fullName: string): MethodPolicy {
  if (Object.hasOwn(METHODS, fullName)) return METHODS[fullName as keyof typeof METHODS];
  if (Object.hasOwn(REFLECTION_METHODS, fullName)) {
    return REFLECTION_METHODS[fullName as keyof typeof REFLECTION_METHODS];
  }
  throw new SymmetraError('METHOD_NOT_ALLOWED', 'no such method may be called');
}

/** Whether a name, as it came over the wire, is a method that takes Sealed. */
export function isSealedMethod(fullName: string): fullName is SealedMethod {
  return Object.hasOwn(METHODS, fullName) && METHODS[fullName as keyof typeof METHODS].kind === 'sealed';
}
