/** The part of the injected logger that this package uses. Sentences are constant; fields vary. */
export interface RpcLogger {
  debug(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  warn(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  error(fields: Readonly<Record<string, unknown>>, sentence: string): void;
}
