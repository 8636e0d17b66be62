import {
  METHODS,
  OPEN_CALLS,
  REFLECTION_METHODS,
  decode,
  methodDescriptors,
  methodPolicy,
} from '@symmetra/rpc';
import type { MessageName, MethodPolicy } from '@symmetra/rpc';
import { describe, expect, it } from 'vitest';

const SEALED = 'symmetra.sealed.v1.Sealed';
const SIGNED_REQUEST = 'symmetra.admin.v1.SignedRequest';
const SIGNED_RESPONSE = 'symmetra.admin.v1.SignedResponse';

const descriptors = methodDescriptors();
const table: Readonly<Record<string, MethodPolicy>> = METHODS;

describe('the method table and the proto files', () => {
  it('sees services and methods at all', () => {
    expect(new Set(descriptors.map((descriptor) => descriptor.service)).size).toBeGreaterThan(6);
    expect(descriptors.length).toBeGreaterThan(18);
  });

  it('name the same methods', () => {
    const declared = descriptors.map((descriptor) => descriptor.method).toSorted();
    expect(Object.keys(table).toSorted()).toEqual(declared);
  });

  it('refuse a method that neither names', () => {
    for (const name of ['/symmetra.session.v1.SessionService/Steal', 'constructor', '__proto__', '']) {
      expect(() => methodPolicy(name)).toThrow(expect.objectContaining({ code: 'METHOD_NOT_ALLOWED' }));
    }
  });

  it('give reflection rows of its own, which no proto file of ours declares', () => {
    for (const name of Object.keys(REFLECTION_METHODS)) {
      expect(table).not.toHaveProperty([name]);
      expect(methodPolicy(name).who).toBe('anyone');
    }
  });

  it('bound every rate and size', () => {
    for (const [name, policy] of Object.entries({ ...table, ...REFLECTION_METHODS })) {
      expect(policy.rate.perSecond, name).toBeGreaterThan(0);
      expect(policy.rate.burst, name).toBeGreaterThanOrEqual(policy.rate.perSecond);
      expect(policy.maxBytes, name).toBeGreaterThan(0);
      const isDescriptor = name === '/symmetra.network.v1.NetworkService/PutDescriptor';
      expect(policy.maxBytes, name).toBeLessThanOrEqual(isDescriptor ? 327_680 : 65_536);
    }
  });
});

describe('sealed and signed methods', () => {
  it.each(descriptors)('$method is of the kind that its messages say', (descriptor) => {
    const policy = methodPolicy(descriptor.method);
    const sealed = descriptor.requestType === SEALED;
    const signed = descriptor.requestType === SIGNED_REQUEST;
    expect(policy.kind === 'sealed').toBe(sealed);
    expect(policy.kind === 'signed').toBe(signed);
    expect(policy.kind === 'link').toBe(descriptor.requestStream);
    expect(descriptor.replyType === SEALED).toBe(sealed);
    expect(descriptor.replyType === SIGNED_RESPONSE).toBe(signed);
    expect(policy.rate.per === 'session').toBe(sealed);
    expect(policy.who === 'administrator').toBe(signed);
    expect(policy.rate.per === 'administrator').toBe(signed);
    expect(policy.audited || !signed).toBe(true);
  });

  it.each(descriptors)('$method names plaintext types exactly when it has them', (descriptor) => {
    const policy = methodPolicy(descriptor.method);
    const wrapped = policy.kind === 'sealed' || policy.kind === 'signed';
    expect(descriptor.plaintext).toEqual(policy.plaintext);
    expect(policy.plaintext !== undefined).toBe(wrapped);
    if (policy.plaintext === undefined) return;
    const empty = new Uint8Array(0);
    expect(decode(policy.plaintext.request, empty)).toBeTypeOf('object');
    expect(decode(policy.plaintext.reply, empty)).toBeTypeOf('object');
    const name = descriptor.method.split('/').at(-1);
    expect(policy.plaintext.request.endsWith(`.${name}Request`)).toBe(true);
    expect(policy.plaintext.reply.endsWith(`.${name}Response`)).toBe(true);
  });

  it('counts at least one of each, so that the checks above are not empty', () => {
    const kinds = Object.values(table).map((policy) => policy.kind);
    expect(new Set(kinds)).toEqual(new Set(['open', 'sealed', 'signed', 'link', 'upstream']));
  });
});

describe('upstream methods', () => {
  it.each(descriptors)('$method is called by nodes exactly when it is upstream', ({ method }) => {
    const { kind, who } = methodPolicy(method);
    expect(kind === 'upstream').toBe(who === 'node');
  });
});

describe('open calls', () => {
  const ours = descriptors.filter(
    (descriptor) =>
      descriptor.service.startsWith('symmetra.') && methodPolicy(descriptor.method).kind === 'open',
  );

  it('have a handler each, with the types of the proto files', () => {
    const expected = ours.map((descriptor) => ({
      method: descriptor.method,
      request: descriptor.requestType as MessageName,
      reply: descriptor.replyType as MessageName,
    }));
    const byMethod = (a: { method: string }, b: { method: string }): number =>
      a.method.localeCompare(b.method);
    expect(expected.length).toBeGreaterThan(0);
    expect(Object.values(OPEN_CALLS).toSorted(byMethod)).toEqual(expected.toSorted(byMethod));
  });
});
