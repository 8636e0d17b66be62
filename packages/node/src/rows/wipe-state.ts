import { Secret } from '@symmetra/crypto';

/** Erases every secret in a state that was read from the store or is stored by now. */
export function wipeState(value: unknown): void {
  if (value instanceof Secret) value.wipe();
  else if (Array.isArray(value)) for (const item of value) wipeState(item);
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const item of Object.values(value)) wipeState(item);
  }
}
