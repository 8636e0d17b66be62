import { SymmetraError } from '@symmetra/crypto';

/** The parameters of a command, as they came. */
export type Params = Readonly<Record<string, unknown>>;

/** The options that are given. */
export function present<Options extends object>(
  options: Options,
): {
  [Name in keyof Options]?: Exclude<Options[Name], undefined>;
} {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}

export function text(params: Params, name: string): string | undefined {
  const value = params[name];
  if (value === undefined || typeof value === 'string') return value;
  throw badParameter(name);
}

export function required(params: Params, name: string): string {
  const value = text(params, name);
  if (value !== undefined) return value;
  throw badParameter(name);
}

export function number(params: Params, name: string): number | undefined {
  const value = params[name];
  if (value === undefined || typeof value === 'number') return value;
  throw badParameter(name);
}

export function flag(params: Params, name: string): boolean | undefined {
  const value = params[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw badParameter(name);
}

/** A list of texts. @throws BAD_COMMAND */
export function texts(params: Params, name: string): readonly string[] | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw badParameter(name);
}

/** A parameter that does not fit its command. */
export function badParameter(name: string): SymmetraError {
  return new SymmetraError('BAD_COMMAND', 'a parameter of the command is missing or of the wrong kind', {
    name,
  });
}
