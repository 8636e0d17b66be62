import { Secret } from '@symmetra/crypto';

/** Erases every secret in a state that is not used any more. */
export function wipeSecrets(value: unknown): void {
  if (value instanceof Secret) value.wipe();
  else if (Array.isArray(value)) for (const item of value) wipeSecrets(item);
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const item of Object.values(value)) wipeSecrets(item);
  }
}
