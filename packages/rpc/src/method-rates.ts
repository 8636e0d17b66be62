import type { MethodRate } from './method-policy.js';

/** So many calls in a second of one peer address, more at once. */
export const perAddress = (perSecond: number, burst: number): MethodRate => ({
  perSecond,
  burst,
  per: 'peer-address',
});

/** Likewise of one session. */
export const perSession = (perSecond: number, burst: number): MethodRate => ({
  perSecond,
  burst,
  per: 'session',
});

/** Likewise of one administrator. */
export const perAdministrator = (perSecond: number, burst: number): MethodRate => ({
  perSecond,
  burst,
  per: 'administrator',
});
