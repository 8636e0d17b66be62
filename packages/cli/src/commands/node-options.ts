import type { NodeConfig } from '@symmetra/runtime/configuration';
import type { Option } from 'commander';
import { option, required } from '../command.js';
import { addressOf, path } from '../values.js';

/** What every command about one node takes. */
export interface ConfigOptions {
  readonly config: string;
}

export function configOption(): Option {
  return required(option('--config <file>', 'the configuration of the node, as YAML', path));
}

/** @throws BAD_CONFIG */
export async function configOf(options: ConfigOptions): Promise<NodeConfig> {
  const { readNodeConfig } = await import('@symmetra/runtime/configuration');
  return readNodeConfig(options.config, process.env);
}

/** @param otherwise what is taken without it */
export function addressOption(otherwise: string): Option {
  return option<readonly string[]>(
    '--address <host:port>',
    `where devices reach it; may be given again (default: ${otherwise})`,
    (text, previous = []) => [...previous, addressOf(text)],
  );
}
