import { configError } from './config-error.js';
import { entropyConfig } from './entropy-schema.js';
import type { ParsedSource } from './entropy-schema.js';
import { readYamlFile } from './yaml-file.js';

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
  return parseEntropyConfig(await readYamlFile(file));
}

function withLimit(parsed: ParsedSource): EntropySourceConfig {
  if (!('timeout' in parsed)) return parsed;
  const { timeout: timeoutMs, ...rest } = parsed;
  return { ...rest, timeoutMs };
}
