import { SymmetraError } from '@symmetra/crypto';
import type { z } from 'zod';

/** BAD_CONFIG about the first thing that is wrong, with the path to it in `details.field`. */
export function configError({ issues: [issue] }: z.ZodError): SymmetraError {
  const unknown = issue?.code === 'unrecognized_keys' ? [issue.keys.join(', ')] : [];
  const field = [...(issue?.path ?? []), ...unknown].join('.');
  const reason = unknown.length > 0 ? 'no such setting' : (issue?.message ?? 'not an object');
  return new SymmetraError('BAD_CONFIG', `the configuration is wrong at "${field}": ${reason}`, { field });
}
