import { readFile } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import { configError } from './config-error.js';
import { entropyConfig } from './entropy-schema.js';
import type { ParsedSource } from './entropy-schema.js';

const MAX_FILE_CHARS = 1_000_000;

type WithLimit<Source> = Source extends { timeout: number }
  ? Omit<Source, 'timeout'> & { timeoutMs: number }
  : Source;

/** One source; `openSource` of the package `entropy` opens it. */
export type EntropySourceConfig = Readonly<WithLimit<ParsedSource>>;

/** Where random numbers come from. */
export interface EntropyConfig {
  /** 1 to 32, each with a name of its own. */
  readonly sources: readonly EntropySourceConfig[];
}

/** Without a file: the simulated detector, mixed with the operating system. */
const DEFAULT = {
  sources: [
    { kind: 'detector', name: 'detector' },
    { kind: 'os', name: 'os' },
  ],
};

/**
 * Checks and completes the configuration of entropy. Unknown keys are refused; nothing is opened.
 * @param input what a YAML or JSON file holds; undefined gives the default, the simulated detector mixed with the
 *   operating system.
 * @throws BAD_CONFIG, with the path to the first fault in `details.field`.
 */
export function parseEntropyConfig(input: unknown): EntropyConfig {
  const result = entropyConfig.safeParse(input === undefined ? DEFAULT : input);
  if (!result.success) throw configError(result.error);
  return { sources: result.data.sources.map(withLimit) };
}

/**
 * {@link parseEntropyConfig} of a YAML file, of which JSON is one form.
 * @throws BAD_CONFIG; when the file is no YAML, `details.line` says where.
 */
export async function readEntropyConfig(file?: string): Promise<EntropyConfig> {
  if (file === undefined) return parseEntropyConfig(undefined);
  return parseEntropyConfig(await parseYaml(await contentOf(file), file));
}

function withLimit(parsed: ParsedSource): EntropySourceConfig {
  if (!('timeout' in parsed)) return parsed;
  const { timeout: timeoutMs, ...rest } = parsed;
  return { ...rest, timeoutMs };
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const details = { path: file, reason };
    throw new SymmetraError('BAD_CONFIG', 'the configuration file can not be read', details, {
      cause: error,
    });
  }
}

/** One YAML document without aliases, which a configuration has no use for. */
async function parseYaml(content: string, file: string): Promise<unknown> {
  const refuse = (message: string, line = 0): SymmetraError =>
    new SymmetraError('BAD_CONFIG', message, { path: file, ...(line > 0 && { line }) });
  if (content.length > MAX_FILE_CHARS) throw refuse('the configuration file is too long');
  // Loaded here, since most commands read no such file.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(content, { uniqueKeys: true, logLevel: 'silent' });
  const [error] = document.errors;
  // The parser's own message would quote the content.
  if (error !== undefined) throw refuse('the configuration file is not YAML', error.linePos?.[0].line);
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    throw refuse('the configuration file may not use aliases');
  }
}
