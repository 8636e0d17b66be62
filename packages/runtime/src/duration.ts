import { SymmetraError } from '@symmetra/crypto';

const UNITS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/**
 * A duration such as `250ms`, `30s`, `15m`, `1h`, `7d`: a whole number and its unit.
 * @returns milliseconds.
 * @throws BAD_DURATION
 */
export function parseDuration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS.get(unit) ?? Number.NaN);
  if (amount !== '' && Number.isSafeInteger(ms)) return ms;
  throw new SymmetraError('BAD_DURATION', 'a duration is a whole number and ms, s, m, h or d, such as 1h');
}
