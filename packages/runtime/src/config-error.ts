import { SymmetraError } from '@symmetra/crypto';
import type { z } from 'zod';
import { nearest, settingsAt } from './schema-walk.js';

/**
 * BAD_CONFIG about the first thing that is wrong, with the path to it in `details.field`. A setting that does not
 * exist goes first: where a name is mistyped, the right one is missing, too.
 * @param schema tells which setting was probably meant
 */
export function configError({ issues }: z.ZodError, schema?: z.ZodType): SymmetraError {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown !== undefined) return unknownSetting(unknown.path, unknown.keys, schema);
  const [issue] = issues;
  return wrong((issue?.path ?? []).join('.'), reasonOf(issue));
}

function unknownSetting(
  path: readonly PropertyKey[],
  keys: readonly string[],
  schema?: z.ZodType,
): SymmetraError {
  const [word = ''] = keys;
  const meant = nearest(word, settingsAt(schema, path));
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  return wrong([...path, keys.join(', ')].join('.'), `no such setting${hint}`);
}

function reasonOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'not an object';
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'it is missing';
  return issue.message.replace('Invalid input: ', '');
}

function wrong(field: string, reason: string): SymmetraError {
  return new SymmetraError('BAD_CONFIG', `the configuration is wrong at "${field}": ${reason}`, { field });
}
